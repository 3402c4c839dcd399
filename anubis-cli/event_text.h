// Events for people. Pure.
#pragma once

#include <string>

#include "control.pb.h"

namespace anubis::cli {

// "2026-11-20 12:34:56 jacinth up (initiated here)"
[[nodiscard]] std::string event_text(const control::Event& event);

}  // namespace anubis::cli

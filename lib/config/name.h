// What hosts and peers may be called.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace anubis::config {

// Names are typed at a shell: 1 to 63 of A-Z a-z 0-9 . _ -, the first a letter, a digit or an underscore.
base::Result<std::string> parse_name(std::string_view text);

}  // namespace anubis::config

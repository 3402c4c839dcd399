// What [roaming] says. Internal to lib/config.
#pragma once

#include "lib/config/section.h"
#include "lib/roaming/home.h"

namespace anubis::config {

[[nodiscard]] roaming::Settings read_roaming(Section& section);

}  // namespace anubis::config

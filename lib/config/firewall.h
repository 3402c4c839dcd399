// What [firewall] says. Internal to lib/config.
#pragma once

#include "lib/config/config.h"
#include "lib/config/section.h"

namespace anubis::config {

[[nodiscard]] Firewall read_firewall(Section& section, const model::IpPrefix& side_prefix);

}  // namespace anubis::config

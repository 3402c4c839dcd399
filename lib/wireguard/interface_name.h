// Interface names become netlink attributes and parts of socket paths: they are checked once, when a device is opened.
#pragma once

#include <string_view>

#include "lib/base/result.h"

namespace anubis::wireguard {

// kInvalid unless Linux would take it: 1 to 15 bytes without '/', ':' and white space, and neither "." nor "..".
base::Status check_interface_name(std::string_view name);

}  // namespace anubis::wireguard

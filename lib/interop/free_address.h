// Which addresses of this host's WireGuard networks nobody has yet. PURE.
#pragma once

#include <vector>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/model/ip.h"

namespace anubis::interop {

// One of each network of [production] addresses, with the same number in all of them: 10.44.0.8 and fd44::8. Nobody's
// are those that no host of the configuration has, and no peer has among its allowed IPs, but for those that contain
// the whole network.
// kInvalid: this host has no network. kFull: one of them is full.
[[nodiscard]] base::Result<std::vector<model::IpAddress>> free_addresses(const config::Config& config);

}  // namespace anubis::interop

// What each of the two programs may ask of the kernel once it runs. Found by tracing the lab's scenarios, error paths
// included; what is merely possible is not here.
#pragma once

#include "lib/sandbox/filter.h"

namespace anubis::sandbox {

// Speaks to the network: Internet datagrams, the control socket, its netd. No program, no privilege, no file but what
// its user may open.
[[nodiscard]] Rules anubisd_calls();

// Holds CAP_NET_ADMIN: netlink, WireGuard's local sockets, its anubisd. No Internet socket of any kind, no program.
[[nodiscard]] Rules netd_calls();

}  // namespace anubis::sandbox

// What this process may do.
#pragma once

namespace anubis::daemon {

// CAP_NET_ADMIN, effective: needed to change interfaces, routes and rules.
[[nodiscard]] bool has_net_admin();

}  // namespace anubis::daemon

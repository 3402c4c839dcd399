// From which of this host's addresses a userspace WireGuard sends.
#pragma once

#include "lib/base/result.h"
#include "lib/wireguard/device.h"

namespace anubis::netd {

// wireguard-go answers from the address that it was last heard at. When that address has gone, it sends nothing more to
// such a peer until it hears from it: it waits for an EINVAL, and the kernel says ENETUNREACH (6.18). Naming the peer's
// endpoint again, as it is, makes it forget. Costs a dump. The kernel's own WireGuard looks whether the address is
// there.
base::Status forget_source_addresses(wireguard::Device& device);

}  // namespace anubis::netd

// Which UDP ports are in use, as the kernel lists them: by those of WireGuard interfaces as well. Reading that list
// needs no Internet socket of our own.
#pragma once

#include <cstdint>
#include <string_view>

#include "lib/base/result.h"

namespace anubis::netd {

// In a table of the form of /proc/net/udp.
[[nodiscard]] bool has_port(std::string_view table, std::uint16_t port);

// On any address of either family, in our network namespace.
[[nodiscard]] base::Result<bool> is_udp_port_in_use(std::uint16_t port);

}  // namespace anubis::netd

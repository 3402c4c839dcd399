// Our endpoints as the system's socket addresses, and back.
#pragma once

#include <optional>

#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/model/endpoint.h"

namespace anubis::daemon {

struct SocketAddress {
  union {
    sockaddr generic;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  socklen_t size = 0;
};

[[nodiscard]] SocketAddress to_socket_address(const model::Endpoint& endpoint);
// None when it is neither IPv4 nor IPv6.
[[nodiscard]] std::optional<model::Endpoint> to_endpoint(const sockaddr& address, socklen_t size);

}  // namespace anubis::daemon

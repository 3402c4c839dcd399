#include "anubisd/socket_address.h"

#include <cstring>
#include <span>

#include <arpa/inet.h>

namespace anubis::daemon {

SocketAddress to_socket_address(const model::Endpoint& endpoint) {
  SocketAddress out{};
  switch (endpoint.address.family()) {
    case model::Family::kV4:
      out.v4 = {.sin_family = AF_INET, .sin_port = htons(endpoint.port)};
      std::memcpy(&out.v4.sin_addr, endpoint.address.bytes().data(), sizeof out.v4.sin_addr);
      out.size = sizeof out.v4;
      break;
    case model::Family::kV6:
      out.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(endpoint.port), .sin6_scope_id = endpoint.scope_id};
      std::memcpy(&out.v6.sin6_addr, endpoint.address.bytes().data(), sizeof out.v6.sin6_addr);
      out.size = sizeof out.v6;
      break;
  }
  return out;
}

std::optional<model::Endpoint> to_endpoint(const sockaddr& address, socklen_t size) {
  if (address.sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return model::Endpoint{.address = model::IpAddress::v4(bytes), .port = ntohs(v4.sin_port)};
  }
  if (address.sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return model::Endpoint{
        .address = model::IpAddress::v6(bytes), .port = ntohs(v6.sin6_port), .scope_id = v6.sin6_scope_id};
  }
  return std::nullopt;
}

}  // namespace anubis::daemon

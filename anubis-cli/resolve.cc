#include "anubis-cli/resolve.h"

#include <cstring>
#include <memory>

#include <netdb.h>
#include <netinet/in.h>

namespace anubis::cli {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

model::IpAddress address_of(const addrinfo& info) {
  if (info.ai_family == AF_INET) {
    sockaddr_in found{};
    std::memcpy(&found, info.ai_addr, sizeof found);
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &found.sin_addr, bytes.size());
    return model::IpAddress::v4(bytes);
  }
  sockaddr_in6 found{};
  std::memcpy(&found, info.ai_addr, sizeof found);
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &found.sin6_addr, bytes.size());
  return model::IpAddress::v6(bytes);
}

std::uint32_t scope_of(const addrinfo& info) {
  if (info.ai_family != AF_INET6) return 0;
  sockaddr_in6 found{};
  std::memcpy(&found, info.ai_addr, sizeof found);
  return found.sin6_scope_id;
}

}  // namespace

Outcome<model::Endpoint> resolve(const model::HostPort& host) {
  if (const auto literal = host.literal()) return model::Endpoint{.address = *literal, .port = host.port.value_or(0)};
  addrinfo* list = nullptr;
  int result = EAI_NONAME;
  for (const int family : {AF_INET, AF_INET6}) {
    addrinfo wanted{};
    wanted.ai_family = family;
    wanted.ai_socktype = SOCK_DGRAM;
    result = getaddrinfo(host.host.c_str(), nullptr, &wanted, &list);
    if (result == 0) break;
  }
  if (result != 0) {
    return fail(control::FAILED,
                "cannot find the address of " + host.host + " (" + gai_strerror(result) +
                    "): is it spelt right, and does this host's name server work? Or give the address");
  }
  const Addresses addresses(list, &freeaddrinfo);
  return model::Endpoint{.address = address_of(*addresses), .port = host.port.value_or(0)};
}

Outcome<std::vector<model::Endpoint>> resolve_all(const model::HostPort& host) {
  const addrinfo hints{.ai_flags = AI_ADDRCONFIG, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(host.host.c_str(), nullptr, &hints, &list); error != 0) {
    return fail(control::UNREACHABLE, "cannot find the address of " + host.host + ": " + gai_strerror(error));
  }
  const Addresses addresses(list, &freeaddrinfo);
  std::vector<model::Endpoint> endpoints;
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
    endpoints.push_back({.address = address_of(*each), .port = *host.port, .scope_id = scope_of(*each)});
  }
  if (endpoints.empty()) return fail(control::UNREACHABLE, host.host + " has no address that this host could reach");
  return endpoints;
}

}  // namespace anubis::cli

#include "anubisd/resolver.h"

#include <cerrno>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include "anubisd/socket_address.h"

namespace anubis::daemon {
namespace {

// A name server that is silent holds a thread for half a minute.
constexpr std::size_t kThreads = 8;

base::Result<model::IpAddress> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_ADDRCONFIG;  // no IPv6 address for a host that has no IPv6
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  const int system_error = errno;
  if (error == EAI_SYSTEM) return base::fail_errno(system_error, fmt::format("{} does not resolve", host));
  if (error != 0) {
    return base::fail(base::ErrorCode::kNotFound, fmt::format("{} does not resolve: {}", host, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (const auto endpoint = to_endpoint(*each->ai_addr, each->ai_addrlen)) return endpoint->address;
  }
  return base::fail(base::ErrorCode::kNotFound, fmt::format("{} has no address", host));
}

}  // namespace

Resolver::Resolver(Loop& loop) : background_(loop, kThreads) {}

void Resolver::resolve(const std::string& host, Urgency urgency, Answer answer) {
  background_.run(urgency, [host, answer = std::move(answer)]() -> Callback {
    return [answer, result = look_up(host)] { answer(result); };
  });
}

}  // namespace anubis::daemon

#include "anubisd/resolver.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include "anubisd/socket_address.h"

namespace anubis::daemon {
namespace {

// A name server that is silent holds a thread for half a minute.
constexpr std::size_t kThreads = 8;

constexpr std::size_t kMaxAddresses = 16;  // of a name; more only cost time

// At least one, as the system prefers them.
base::Result<std::vector<model::IpAddress>> look_up(const std::string& host) {
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
  std::vector<model::IpAddress> addresses;
  for (const addrinfo* each = found; each != nullptr && addresses.size() < kMaxAddresses; each = each->ai_next) {
    if (const auto endpoint = to_endpoint(*each->ai_addr, each->ai_addrlen)) addresses.push_back(endpoint->address);
  }
  if (addresses.empty()) return base::fail(base::ErrorCode::kNotFound, fmt::format("{} has no address", host));
  return addresses;
}

}  // namespace

Resolver::Resolver(Loop& loop, Reaches reaches) : reaches_(std::move(reaches)), background_(loop, kThreads) {}

void Resolver::resolve(const std::string& host, Urgency urgency, Answer answer) {
  background_.run(urgency, [this, host, answer = std::move(answer)]() -> Callback {
    return [this, answer, found = look_up(host)] {
      answer(found ? base::Result<model::IpAddress>(choose(*found)) : base::fail(found.error()));
    };
  });
}

model::IpAddress Resolver::choose(const std::vector<model::IpAddress>& addresses) const {
  if (addresses.size() == 1) return addresses.front();
  const auto reached = std::ranges::find_if(addresses, reaches_);
  return reached == addresses.end() ? addresses.front() : *reached;
}

}  // namespace anubis::daemon

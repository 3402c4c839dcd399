#include "firewall/testing/fake_firewall.h"

#include <utility>

namespace anubis::firewall::testing {

base::Status FakeFirewall::apply(const Policy& policy) {
  if (error) return base::fail(*error);
  ++applied;
  standing = policy;
  return {};
}

base::Status FakeFirewall::set_production(std::span<const model::IpPrefix> prefixes) {
  if (error) return base::fail(*error);
  if (!standing) return base::fail(base::ErrorCode::kNotFound, "no table");
  standing->production.assign(prefixes.begin(), prefixes.end());
  return {};
}

base::Result<Standing> FakeFirewall::look() {
  if (error) return base::fail(*error);
  if (!standing) return Standing::kGone;
  return std::exchange(found, Standing::kAsApplied);
}

base::Status FakeFirewall::remove() {
  if (error) return base::fail(*error);
  standing.reset();
  return {};
}

base::Result<std::vector<model::IpPrefix>> FakeFirewall::left_behind() {
  if (error) return base::fail(*error);
  return standing ? standing->production : std::vector<model::IpPrefix>();
}

base::Result<std::string> FakeFirewall::list() {
  if (error) return base::fail(*error);
  return std::string(standing ? "table inet anubis" : "");
}

base::Result<std::vector<ClosedPort>> FakeFirewall::closed_ports(std::span<const std::uint16_t> /*ports*/) {
  if (error) return base::fail(*error);
  return closed;
}

Noticed FakeFirewall::take_events() { return std::exchange(noticed, {}); }

}  // namespace anubis::firewall::testing

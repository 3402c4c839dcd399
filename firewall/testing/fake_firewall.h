// A firewall without a kernel, for tests: remembers what it was told, and can be spoiled and made to fail.
#pragma once

#include <optional>

#include "firewall/firewall.h"

namespace anubis::firewall::testing {

class FakeFirewall final : public Firewall {
 public:
  base::Status apply(const Policy& policy) override;
  base::Status set_production(std::span<const model::IpPrefix> prefixes) override;
  base::Result<Standing> look() override;
  base::Status remove() override;
  base::Result<std::vector<model::IpPrefix>> left_behind() override;
  base::Result<std::string> list() override;
  base::Result<std::vector<ClosedPort>> closed_ports(std::span<const std::uint16_t> ports) override;
  [[nodiscard]] int event_fd() const override { return -1; }
  Noticed take_events() override;

  std::optional<Policy> standing;    // none: no table
  std::optional<base::Error> error;  // of whatever is asked for
  int applied = 0;
  Standing found = Standing::kAsApplied;  // by the next look(), once
  Noticed noticed;
  std::vector<ClosedPort> closed;
};

}  // namespace anubis::firewall::testing

// Ranges of addresses as nftables' interval sets want them: none overlaps another. Pure.
#pragma once

#include <compare>
#include <span>
#include <string>
#include <vector>

#include "lib/model/ip.h"

namespace anubis::firewall {

// Both ends belong to it, and are of one family.
struct Range {
  model::IpAddress first;
  model::IpAddress last;

  auto operator<=>(const Range&) const = default;
};

[[nodiscard]] Range range_of(const model::IpPrefix& prefix);

// All that is in some of the prefixes of that family: in order, neither overlapping nor adjacent.
[[nodiscard]] std::vector<Range> merge(std::span<const model::IpPrefix> prefixes, model::Family family);

// The address behind this one, and before it; behind the last one comes the first.
[[nodiscard]] model::IpAddress next(const model::IpAddress& address);
[[nodiscard]] model::IpAddress previous(const model::IpAddress& address);
[[nodiscard]] model::IpAddress last_address(model::Family family);

// "10.44.0.0/24" where it is a prefix, "10.44.0.1" where it is one address, else "10.44.0.1-10.44.0.6".
[[nodiscard]] std::string to_string(const Range& range);

}  // namespace anubis::firewall

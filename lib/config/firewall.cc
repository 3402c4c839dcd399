#include "lib/config/firewall.h"

#include <algorithm>

#include <fmt/format.h>

namespace anubis::config {
namespace {

using base::ErrorCode;
using base::fail;
using model::IpAddress;
using model::IpPrefix;

constexpr std::string_view kMasquerade = "masquerade";
constexpr std::string_view kSnatTo = "snat_to";

base::Result<IpAddress> parse_own_address(std::string_view text) {
  auto address = IpAddress::parse(text);
  if (address && (address->is_unspecified() || address->is_multicast() || address->is_loopback())) {
    return fail(ErrorCode::kInvalid, fmt::format("{} cannot be anybody's source address; name one of this host", text));
  }
  return address;
}

}  // namespace

Firewall read_firewall(Section& section, const IpPrefix& side_prefix) {
  Firewall firewall;
  firewall.enabled = section.boolean("enabled").value_or(true);
  for (const auto& [range, place] : section.parsed_all(kMasquerade, IpPrefix::parse)) {
    if (!range.is_default_route() && side_prefix.overlaps(range)) {
      section.error(place, kMasquerade,
                    fmt::format("{} overlaps the side prefix {}, from which nothing is ever forwarded; take it out",
                                range.to_string(), side_prefix.to_string()));
    }
    firewall.masquerade.push_back(range);
  }
  for (const auto& [address, place] : section.parsed_all(kSnatTo, parse_own_address)) {
    const auto is_of_family = [&](const auto& each) { return each.family() == address.family(); };
    if (std::ranges::any_of(firewall.snat_to, is_of_family)) {
      section.error(place, kSnatTo,
                    fmt::format("{} is the second address of its family; leave one", address.to_string()));
    } else if (std::ranges::none_of(firewall.masquerade, is_of_family)) {
      section.error(
          place, kSnatTo,
          fmt::format("{} has nothing to stand for: masquerade names no range of its family", address.to_string()));
    }
    firewall.snat_to.push_back(address);
  }
  section.finish();
  return firewall;
}

}  // namespace anubis::config

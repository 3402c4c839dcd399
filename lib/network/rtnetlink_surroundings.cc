// RtnetlinkNetwork, the part about where this host is.
#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "lib/network/describe.h"
#include "lib/network/link_message.h"
#include "lib/network/neighbour_message.h"
#include "lib/network/rtnetlink_network.h"

namespace anubis::network {
namespace {

using base::fail;
using base::Result;
using model::Sighting;
using model::SightingKind;

const Link* find(const std::vector<Link>& links, std::uint32_t ifindex) {
  const auto found = std::ranges::find(links, ifindex, &Link::index);
  return found == links.end() ? nullptr : &*found;
}

}  // namespace

// Those behind which there may be a network: that carry packets, and are not ours.
Result<std::vector<Link>> RtnetlinkNetwork::links_that_lead_out(std::span<const std::uint32_t> except) {
  std::vector<Link> links;
  const Answer answer = transactor_.dump(
      link_dump(), [&] { links.clear(); },
      [&](const ReceivedMessage& message) {
        auto link = parse_link(message);
        if (!link || !link->running || link->index == kLoopback) return;
        if (std::ranges::find(except, link->index) == except.end()) links.push_back(std::move(*link));
      });
  if (answer.error != 0) return fail(refusal(answer, "list the interfaces"));
  return links;
}

Result<std::vector<Sighting>> RtnetlinkNetwork::usable_addresses(std::span<const std::uint32_t> except) {
  const auto links = links_that_lead_out(except);
  if (!links) return fail(links.error());
  std::vector<Sighting> seen;
  const Answer answer = transactor_.dump(
      address_dump(0), [&] { seen.clear(); },
      [&](const ReceivedMessage& message) {
        const auto parsed = parse_address(message);
        if (!parsed || !parsed->is_usable) return;
        if (const Link* const link = find(*links, parsed->ifindex)) {
          seen.push_back({.kind = SightingKind::kAddress,
                          .link = link->name,
                          .is_uplink = is_uplink(*link),
                          .address = parsed->address.address.address});
        }
      });
  if (answer.error != 0) return fail(refusal(answer, "list the addresses"));
  return seen;
}

Result<std::vector<Sighting>> RtnetlinkNetwork::default_routes(std::span<const std::uint32_t> except) {
  const auto links = links_that_lead_out(except);
  if (!links) return fail(links.error());
  std::vector<NextHop> next_hops;
  for (const model::Family family : {model::Family::kV4, model::Family::kV6}) {
    std::vector<NextHop> of_family;
    const Answer answer = transactor_.dump(
        route_dump(family, {.protocol = {}, .table = kMainTable}), [&] { of_family.clear(); },
        [&](const ReceivedMessage& message) {
          const auto hops = parse_default_route(message);
          of_family.insert(of_family.end(), hops.begin(), hops.end());
        });
    const bool no_such_table = answer.error == ENOENT;
    const bool no_such_family = family == model::Family::kV6 && means_no_such_family(answer);
    if (answer.error != 0 && !no_such_table && !no_such_family) return fail(refusal(answer, "list the routes"));
    next_hops.insert(next_hops.end(), of_family.begin(), of_family.end());
  }

  std::vector<Sighting> seen;
  for (const NextHop& hop : next_hops) {
    const Link* const link = find(*links, hop.ifindex);
    if (link == nullptr) continue;
    Sighting sighting{
        .kind = SightingKind::kDefaultRoute, .link = link->name, .is_uplink = is_uplink(*link), .address = hop.gateway};
    if (hop.gateway && link->has_neighbours) {
      sighting.mac = gateway_mac(hop);
      sighting.is_resolving = !sighting.mac;
    }
    if (std::ranges::find(seen, sighting) == seen.end()) seen.push_back(std::move(sighting));
  }
  return seen;
}

std::optional<model::MacAddress> RtnetlinkNetwork::gateway_mac(const NextHop& hop) {
  Neighbour neighbour;
  const Answer answer =
      transactor_.get(neighbour_query(hop.ifindex, *hop.gateway), [&](const ReceivedMessage& message) {
        if (const auto parsed = parse_neighbour(message)) neighbour = *parsed;
      });
  // Nobody has sent it a packet yet, or not lately: ask, so that the next look sees it. What cannot be asked for stays
  // unknown.
  if (answer.error != 0 || neighbour.is_in_doubt) (void)execute(neighbour_use(hop.ifindex, *hop.gateway));
  return answer.error == 0 ? neighbour.mac : std::nullopt;
}

}  // namespace anubis::network

// Routes and look-ups as netlink messages: how they are made and read. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/network/message.h"
#include "lib/network/network.h"

namespace anubis::network {

// Refused by the kernel (EEXIST) when a route of the same prefix, table and metric is there.
[[nodiscard]] Message route_addition(const Route& route);
// Matches nothing but this route: protocol, kind, link and table are all given.
[[nodiscard]] Message route_removal(const Route& route);
// Kernels before 4.20 ignore the filter, and a kernel without IPv6 answers for all families: filter again.
[[nodiscard]] Message route_dump(model::Family family, const RouteFilter& filter);
[[nodiscard]] Message route_query(const RouteQuery& query);
// The same question, answered with the route as it stands in its table instead of with what follows from it.
[[nodiscard]] Message matching_route_query(const RouteQuery& query);

// A route of the kernel's, whatever it is.
struct RouteRecord {
  Route route;              // the metric is absent when it is the default; ifindex is 0 unless type is RTN_UNICAST
  std::uint8_t type = 0;    // RTN_…
  bool expressible = true;  // Route says all that matters: no gateway, no other next hop, no type of service
  std::optional<model::IpAddress> gateway;
  std::optional<model::IpAddress> source;
};
// Of RTM_NEWROUTE and RTM_DELROUTE.
[[nodiscard]] std::optional<RouteRecord> parse_route(const ReceivedMessage& message);

struct NextHop {
  std::uint32_t ifindex = 0;
  std::optional<model::IpAddress> gateway;
};
// The next hops of a default route of the main table that leads somewhere; none: it is another route.
[[nodiscard]] std::vector<NextHop> parse_default_route(const ReceivedMessage& message);

// "dhcp", "boot", …, or the number.
[[nodiscard]] std::string protocol_name(std::uint8_t protocol);

}  // namespace anubis::network

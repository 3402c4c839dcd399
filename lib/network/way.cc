#include "lib/network/way.h"

#include <unistd.h>

#include "lib/network/channel.h"
#include "lib/network/route_message.h"
#include "lib/network/rule_choice.h"
#include "lib/network/rule_message.h"

namespace anubis::network {

base::Result<WayFinder> WayFinder::create() {
  auto network = RtnetlinkNetwork::create();
  if (!network) return base::fail(network.error());
  auto transactor = Transactor::create([] { return open_route_channel(); });
  if (!transactor) return base::fail(transactor.error());
  return WayFinder(std::move(*network), std::move(*transactor));
}

base::Result<Way> WayFinder::way_to(const model::IpAddress& destination, std::uint8_t ip_protocol) {
  const RouteQuery query{.destination = destination, .ip_protocol = ip_protocol, .source_port = {}, .fwmark = {}};
  const auto answer = network_->route_to(query);
  if (!answer) return base::fail(answer.error());
  Way way{.interface = "link " + std::to_string(answer->ifindex),
          .table = answer->table,
          .prefix = matching_prefix(query),
          .gateway = answer->gateway,
          .source = answer->source};
  if (const auto link = network_->link_at(answer->ifindex); link && *link) {
    way.interface = (*link)->name;
    way.mtu = (*link)->mtu;
  }
  way.rule_priority = leading_rule(query, way);
  return way;
}

std::optional<model::IpPrefix> WayFinder::matching_prefix(const RouteQuery& query) {
  std::optional<model::IpPrefix> prefix;
  const Answer answer = transactor_.get(matching_route_query(query), [&](const ReceivedMessage& message) {
    if (const auto record = parse_route(message)) prefix = record->route.prefix;
  });
  return answer.error == 0 ? prefix : std::nullopt;
}

std::optional<std::uint32_t> WayFinder::leading_rule(const RouteQuery& query, const Way& way) {
  const OwnPacket packet{query.destination, query.ip_protocol.value_or(0), getuid()};
  const FoundRoute route{way.table, way.prefix ? way.prefix->length() : query.destination.bits()};
  std::optional<std::uint32_t> priority;
  const Answer answer = transactor_.dump(
      rule_dump(query.destination.family()), [&] { priority.reset(); },
      [&](const ReceivedMessage& message) {
        if (!priority && leads_to(message, packet, route)) priority = rule_priority(message);
      });
  return answer.error == 0 ? priority : std::nullopt;
}

}  // namespace anubis::network

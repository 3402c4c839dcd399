#include "lib/network/route_message.h"

#include <algorithm>
#include <array>
#include <utility>

#include <arpa/inet.h>
#include <linux/rtnetlink.h>

namespace anubis::network {
namespace {

constexpr std::uint32_t kDefaultMetric6 = 1024;  // IP6_RT_PRIO_USER

std::uint32_t default_metric(model::Family family) { return family == model::Family::kV6 ? kDefaultMetric6 : 0; }

std::uint8_t type_of(RouteKind kind) {
  switch (kind) {
    case RouteKind::kUnicast:
      return RTN_UNICAST;
    case RouteKind::kThrow:
      return RTN_THROW;
  }
  return RTN_UNSPEC;
}

// A table that does not fit into the header's byte stands in RTA_TABLE alone.
std::uint8_t short_table(std::uint32_t table) {
  return table < 256 ? static_cast<std::uint8_t>(table) : static_cast<std::uint8_t>(RT_TABLE_COMPAT);
}

Message route_message(std::uint16_t type, std::uint16_t flags, const Route& route,
                      std::uint8_t scope = RT_SCOPE_UNIVERSE) {
  rtmsg header{};
  header.rtm_family = address_family(route.prefix.family());
  header.rtm_dst_len = route.prefix.length();
  header.rtm_table = short_table(route.table);
  header.rtm_protocol = route.protocol;
  header.rtm_scope = scope;
  header.rtm_type = type_of(route.kind);
  Message message(type, static_cast<std::uint16_t>(NLM_F_ACK | flags), header);
  message.put(RTA_DST, route.prefix.address()).put_u32(RTA_TABLE, route.table);
  if (route.kind == RouteKind::kUnicast) message.put_u32(RTA_OIF, route.ifindex);
  return message.put_u32(RTA_PRIORITY, route.metric.value_or(default_metric(route.prefix.family())));
}

// RTA_VIA is a gateway of the other family: two bytes of family, then the address.
std::optional<model::IpAddress> gateway_of(const Attributes& attributes) {
  if (const auto gateway = attributes.address(RTA_GATEWAY)) return gateway;
  constexpr std::size_t kFamilySize = sizeof(rtvia);
  const auto via = attributes.bytes(RTA_VIA);
  if (!via || via->size() < kFamilySize) return std::nullopt;
  const ByteView address = via->subspan(kFamilySize);
  if (address.size() == 4) return model::IpAddress::v4(address.first<4>());
  if (address.size() == 16) return model::IpAddress::v6(address.first<16>());
  return std::nullopt;
}

Message query_message(const RouteQuery& query, std::uint32_t flags) {
  rtmsg header{};
  header.rtm_flags = flags;
  header.rtm_family = address_family(query.destination.family());
  header.rtm_dst_len = query.destination.bits();
  // Else IPv4 answers "main", whatever the table is. IPv6 tells the table anyway, and refuses the flag.
  if (query.destination.family() == model::Family::kV4) header.rtm_flags |= RTM_F_LOOKUP_TABLE;
  Message message(RTM_GETROUTE, 0, header);
  message.put(RTA_DST, query.destination);
  if (query.ip_protocol) message.put_u8(RTA_IP_PROTO, *query.ip_protocol);
  if (query.source_port) message.put_u16(RTA_SPORT, htons(*query.source_port));
  if (query.fwmark) message.put_u32(RTA_MARK, *query.fwmark);
  return message;
}

// Those of RTA_MULTIPATH, each with attributes of its own.
std::vector<NextHop> parse_next_hops(ByteView bytes) {
  std::vector<NextHop> hops;
  while (const auto header = header_of<rtnexthop>(bytes)) {
    if (header->rtnh_len < sizeof *header || header->rtnh_len > bytes.size()) break;
    const Attributes attributes(bytes.first(header->rtnh_len).subspan(sizeof *header));
    hops.push_back({static_cast<std::uint32_t>(header->rtnh_ifindex), gateway_of(attributes)});
    bytes = bytes.subspan(std::min<std::size_t>(RTNH_ALIGN(header->rtnh_len), bytes.size()));
  }
  return hops;
}

}  // namespace

Message route_addition(const Route& route) {
  // Scope universe, though there is no gateway: IPv4 looks for a gateway without a link (`ip route add default via …`)
  // by all rules and takes routes of scope link. By a full tunnel's it would find each gateway behind the tunnel, and
  // bearer packets would then take that default route of table main.
  return route_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
}

Message route_removal(const Route& route) {
  Message message = route_message(RTM_DELROUTE, 0, route, RT_SCOPE_NOWHERE);  // IPv4: of any scope
  // IPv6 does not compare the kind, but keeps throw routes on the loopback link: naming it spares unicast ones.
  if (route.kind == RouteKind::kThrow && route.prefix.family() == model::Family::kV6)
    message.put_u32(RTA_OIF, kLoopback);
  return message;
}

Message route_dump(model::Family family, const RouteFilter& filter) {
  rtmsg header{};
  header.rtm_family = address_family(family);
  header.rtm_protocol = filter.protocol.value_or(0);
  if (filter.table) header.rtm_table = short_table(*filter.table);
  Message message(RTM_GETROUTE, NLM_F_DUMP, header);
  if (filter.table) message.put_u32(RTA_TABLE, *filter.table);
  return message;
}

Message route_query(const RouteQuery& query) { return query_message(query, 0); }
Message matching_route_query(const RouteQuery& query) { return query_message(query, RTM_F_FIB_MATCH); }

std::optional<RouteRecord> parse_route(const ReceivedMessage& message) {
  if (message.type != RTM_NEWROUTE && message.type != RTM_DELROUTE) return std::nullopt;
  const auto header = header_of<rtmsg>(message.payload);
  if (!header || (header->rtm_family != AF_INET && header->rtm_family != AF_INET6)) return std::nullopt;
  const auto attributes = Attributes::behind(message.payload, sizeof *header);
  const model::Family family = header->rtm_family == AF_INET ? model::Family::kV4 : model::Family::kV6;
  model::IpAddress unspecified =
      family == model::Family::kV4 ? model::IpAddress{} : model::IpAddress::v6(std::array<std::uint8_t, 16>{});
  const model::IpAddress destination = attributes.address(RTA_DST).value_or(unspecified);
  if (destination.family() != family || header->rtm_dst_len > destination.bits()) return std::nullopt;

  RouteRecord record;
  record.type = header->rtm_type;
  record.route.prefix = model::IpPrefix(destination, header->rtm_dst_len);
  record.route.table = attributes.u32(RTA_TABLE).value_or(header->rtm_table);
  record.route.kind = header->rtm_type == RTN_THROW ? RouteKind::kThrow : RouteKind::kUnicast;
  if (header->rtm_type == RTN_UNICAST) record.route.ifindex = attributes.u32(RTA_OIF).value_or(0);
  record.route.protocol = header->rtm_protocol;
  const std::uint32_t metric = attributes.u32(RTA_PRIORITY).value_or(0);
  if (metric != default_metric(family)) record.route.metric = metric;
  record.gateway = attributes.address(RTA_GATEWAY);
  record.source = attributes.address(RTA_PREFSRC);
  const bool has_next_hops =
      attributes.bytes(RTA_MULTIPATH) || attributes.bytes(RTA_VIA) || attributes.bytes(RTA_NH_ID);
  record.expressible = (record.type == RTN_UNICAST || record.type == RTN_THROW) && !record.gateway && !has_next_hops &&
                       header->rtm_tos == 0 && header->rtm_src_len == 0 && (header->rtm_flags & RTM_F_CLONED) == 0;
  return record;
}

std::vector<NextHop> parse_default_route(const ReceivedMessage& message) {
  const auto record = parse_route(message);
  if (!record || !record->route.prefix.is_default_route() || record->route.table != kMainTable ||
      record->type != RTN_UNICAST) {
    return {};
  }
  const auto attributes = Attributes::behind(message.payload, sizeof(rtmsg));
  if (const auto several = attributes.bytes(RTA_MULTIPATH)) return parse_next_hops(*several);
  return {{record->route.ifindex, gateway_of(attributes)}};
}

std::string protocol_name(std::uint8_t protocol) {
  static constexpr auto kNames = std::to_array<std::pair<std::uint8_t, const char*>>({
      {RTPROT_REDIRECT, "redirect"},
      {RTPROT_KERNEL, "kernel"},
      {RTPROT_BOOT, "boot"},
      {RTPROT_STATIC, "static"},
      {RTPROT_RA, "ra"},
      {RTPROT_ZEBRA, "zebra"},
      {RTPROT_BIRD, "bird"},
      {RTPROT_DHCP, "dhcp"},
      {RTPROT_BABEL, "babel"},
      {RTPROT_BGP, "bgp"},
      {RTPROT_OSPF, "ospf"},
      {kRouteProtocol, "anubis"},
  });
  const auto found = std::ranges::find(kNames, protocol, [](const auto& entry) { return entry.first; });
  return found != kNames.end() ? found->second : std::to_string(protocol);
}

}  // namespace anubis::network

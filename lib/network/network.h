// Links, addresses, routes and rules of this host, as plain values. Everything here needs CAP_NET_ADMIN except reading.
//
// What we put into the kernel carries kRouteProtocol, and nothing that lacks it is ever changed or removed, whatever it
// looks like. Adding what is there already and removing what is gone succeed, so that a caller may repeat itself after
// a failure.
//
// Calls block until the kernel has answered, for a bounded time; an object serves one thread at a time. Errors:
// kPermission without the capability; kUnsupported where the kernel lacks something, IPv6 on this host or link
// included; kExists where something foreign stands in the way (it is named); kBusy or kTimeout when trying again may
// help.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/model/ip.h"
#include "lib/model/sighting.h"

namespace anubis::network {

// Who made a route, a rule or an address (rtm_protocol, FRA_PROTOCOL, IFA_PROTO). Values above 4 (RTPROT_STATIC) mean
// nothing to the kernel; 214 is in neither linux/rtnetlink.h nor iproute2's rt_protos, and equals our default table.
inline constexpr std::uint8_t kRouteProtocol = 214;
inline constexpr std::uint32_t kMainTable = 254;  // RT_TABLE_MAIN
inline constexpr std::uint32_t kLoopback = 1;     // LOOPBACK_IFINDEX: in every network namespace

struct Link {
  std::uint32_t index = 0;
  std::string name;
  std::string kind;             // "wireguard", "tun", "veth", …; empty: hardware or loopback
  std::uint32_t mtu = 0;        // bytes
  bool up = false;              // administratively: what `ip link set up` says
  std::string alias;            // empty: none
  bool running = false;         // and can carry packets: there is a carrier
  bool has_neighbours = false;  // hosts on it have addresses of its own kind, which are asked for
  bool operator==(const Link&) const = default;
};

struct LinkSettings {  // what is absent stays as it is
  std::optional<std::uint32_t> mtu;
  std::optional<bool> up;
  std::optional<std::string> alias;  // at most 255 bytes
};

struct Address {
  model::InterfaceAddress address;
  std::uint8_t protocol = 0;  // kRouteProtocol: ours. Kernels before 5.18 don't keep it and say 0
  bool operator==(const Address&) const = default;
};

enum class PrefixRoute : std::uint8_t {
  kAdd,   // the kernel routes the address's network to the link, in the main table
  kNone,  // it does not (IFA_F_NOPREFIXROUTE)
};

enum class RouteKind : std::uint8_t {
  kUnicast,  // to a link
  kThrow,    // ends the look-up in this table: the next rule decides
};

struct Route {
  model::IpPrefix prefix;
  std::uint32_t table = kMainTable;
  RouteKind kind = RouteKind::kUnicast;
  std::uint32_t ifindex = 0;  // of the link for kUnicast; 0 for kThrow
  std::uint8_t protocol = kRouteProtocol;
  std::optional<std::uint32_t> metric;  // none: the kernel's default, 0 for IPv4 and 1024 for IPv6
  auto operator<=>(const Route&) const = default;
};

struct RouteFilter {  // what is absent matches all
  std::optional<std::uint8_t> protocol;
  std::optional<std::uint32_t> table;
};

// What became of one element of a batch.
struct Failure {
  std::size_t index = 0;  // in the span that was given
  base::Error error;
};

struct PortRange {  // both ends belong to it
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  auto operator<=>(const PortRange&) const = default;
};

struct FirewallMark {
  std::uint32_t value = 0;
  std::uint32_t mask = 0xffffffff;
  auto operator<=>(const FirewallMark&) const = default;
};

enum class RuleAction { kLookUp, kUnreachable };

// "Packets of this family that match all of these are looked up in this table", or go nowhere. What is absent matches
// all. Where the table has no route for a packet, the next rule is asked.
struct Rule {
  model::Family family = model::Family::kV4;
  std::uint32_t priority = 0;  // lower comes first
  RuleAction action = RuleAction::kLookUp;
  std::uint32_t table = kMainTable;         // kUnreachable: 0
  std::optional<std::uint8_t> ip_protocol;  // IPPROTO_UDP, …
  std::optional<PortRange> source_ports;
  std::optional<FirewallMark> fwmark;
  std::optional<model::IpPrefix> source;
  std::optional<model::IpPrefix> destination;
  // Routes of the table count only with a prefix longer than this.
  std::optional<std::uint32_t> suppress_prefix_length;
  std::string input_interface;   // empty: any
  std::string output_interface;  // empty: any; else only packets of sockets that are bound to it
  std::uint8_t protocol = kRouteProtocol;
  auto operator<=>(const Rule&) const = default;
};

// A packet that this host would send.
struct RouteQuery {
  model::IpAddress destination;
  std::optional<std::uint8_t> ip_protocol;  // needed for source_port to count
  std::optional<std::uint16_t> source_port;
  std::optional<std::uint32_t> fwmark;
};

struct RouteAnswer {
  std::uint32_t ifindex = 0;
  std::uint32_t table = 0;
  std::optional<model::IpAddress> gateway;
  std::optional<model::IpAddress> source;  // the address that the packet would bear
};

// Other hosts can stand behind it: neither a bridge nor a tunnel nor another thing of this host's own.
[[nodiscard]] bool is_uplink(const Link& link);

class Network {
 public:
  virtual ~Network() = default;

  [[nodiscard]] virtual base::Result<std::optional<Link>> link(std::string_view name) = 0;
  [[nodiscard]] virtual base::Result<std::optional<Link>> link_at(std::uint32_t ifindex) = 0;
  // A WireGuard device of the kernel, down, with the alias that marks it as ours from its first moment on: no crash can
  // leave one without. kUnsupported: this kernel has no WireGuard. kExists: something bears that name.
  virtual base::Result<Link> create_wireguard_link(std::string_view name, std::string_view alias) = 0;
  // Flush a WireGuard device's peers first: the kernel spends milliseconds a peer here. A link that is gone is fine.
  virtual base::Status delete_link(std::uint32_t ifindex) = 0;
  // Setting a link down makes the kernel drop its routes and IPv6 addresses without a word.
  virtual base::Status set_link(std::uint32_t ifindex, const LinkSettings& settings) = 0;

  [[nodiscard]] virtual base::Result<std::vector<Address>> addresses(std::uint32_t ifindex) = 0;
  // IPv6 addresses are usable at once (no duplicate address detection). kExists: it is there with another length.
  virtual base::Status add_address(std::uint32_t ifindex, const model::InterfaceAddress& address,
                                   PrefixRoute prefix_route) = 0;
  // Removing a link's last IPv4 address makes the kernel drop all its IPv4 routes, in every table.
  virtual base::Status remove_address(std::uint32_t ifindex, const model::InterfaceAddress& address) = 0;

  // One message to the kernel for many routes. Returns those that failed; the others are in place. A route is in place
  // when it, or a foreign one of the same prefix, table, metric and link (the prefix route of an address), stands
  // there. kExists: a route of the same prefix, table and metric that leads elsewhere. It is never replaced.
  [[nodiscard]] virtual std::vector<Failure> add_routes(std::span<const Route> routes) = 0;
  // Exactly these, protocol and link included. Returns those that failed; the others are gone.
  [[nodiscard]] virtual std::vector<Failure> remove_routes(std::span<const Route> routes) = 0;
  // Those that a Route can express: routes with gateways, local ones and the like are left out.
  [[nodiscard]] virtual base::Result<std::vector<Route>> routes(const RouteFilter& filter) = 0;

  virtual base::Status add_rule(const Rule& rule) = 0;
  // Ours that stand at the same priority and lead to the same table cannot be told apart when one asks for more than
  // the other: give each a priority of its own.
  virtual base::Status remove_rule(const Rule& rule) = 0;
  // Those of that protocol which a Rule can express.
  [[nodiscard]] virtual base::Result<std::vector<Rule>> rules(std::uint8_t protocol) = 0;

  // The route that the kernel would take now, rules included. kUnreachable: none.
  [[nodiscard]] virtual base::Result<RouteAnswer> route_to(const RouteQuery& query) = 0;

  // Of all links but these that carry packets: their addresses that reach beyond the link and can be used now.
  [[nodiscard]] virtual base::Result<std::vector<model::Sighting>> usable_addresses(
      std::span<const std::uint32_t> except) = 0;
  // The default routes of the main table through such links. A gateway whose MAC address is not known, or known from
  // long ago, is asked for it. Reads the whole main table.
  [[nodiscard]] virtual base::Result<std::vector<model::Sighting>> default_routes(
      std::span<const std::uint32_t> except) = 0;
};

// All or the first failure, which then says how many others there were.
[[nodiscard]] base::Status all_in_place(std::span<const Failure> failures);

}  // namespace anubis::network

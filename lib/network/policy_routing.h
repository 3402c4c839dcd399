// Which rules and throw routes keep bearer packets and excluded ranges out of the production tunnel. Pure.
//
// The routes for AllowedIPs stand in a table of their own. Rules, in the order in which the kernel asks them:
//
//       0  everything                               → table local   (the kernel's: packets to this host itself)
//
//   21400  from here, UDP from the production port  → table main    bearer packets never enter the tunnel they bear
//                                                                   (F38)
//
//   21401  from here, UDP from the side port        → table main
//
//   21402  IPv4 of protocol 255                     → table main    no packet; makes the kernel look at ports, below
//
//   21403  from here, with the mark                 → table main    bearer packets once more
//
//   21404  what 21400, 21401 and 21403 match        → unreachable   if main has no route for bearer packets
//
//   21406  from here, from an address of the production interface → the table   with direct ranges only, and so are
//
//   21407  from here, to or from a direct range     → table main    if the destination's own link is there; see below
//
//   21410  everything                               → the table     AllowedIPs of sessions; throw routes exempt from it
//
//   32766  everything                               → table main    (the kernel's)
//
// Kernel WireGuard (drivers/net/wireguard/socket.c: send4, send6) and the UDP sockets of userspace implementations both
// name their source port when they look a route up, for IPv4 and IPv6, and the mark, which the devices that we make put
// on their sockets. The port serves foreign devices, which have no mark of ours, and the way back of what arrives; the
// mark tells our bearer packets from what another program sends from a socket of the same port.
//
// Rule 21404 is for hosts that stand between two networks, or whose cable is out: the kernel asks on where main has no
// route. With a full tunnel bearer packets would be borne by their own tunnel, again and again, as fast as the host
// can.
//
// "From here" (iif lo) leaves alone what this host forwards: any client behind a gateway could else leave the tunnel by
// using the port, and a WireGuard behind it does use one. It has a price: the kernel takes the ports out of arriving
// IPv4 packets only if some rule without "iif lo" asks for a protocol or port (fib_rule_requires_fldissect), and a
// strict rp_filter asks the rules for the way back of each bearer packet, with its ports swapped
// (__fib_validate_source, since Linux 5.14). Without ports it would find the tunnel and drop the packet. Hence rule
// 21402.
//
// The table comes before main with all that it holds, so a peer with 0.0.0.0/0 takes the ranges of this host's own
// links too, as nobody on them (by DHCP, say) shall be able to route something around the tunnel. A range that is to
// stay outside has to be thrown. Under a strict rp_filter that includes IPv4 neighbours whose ARP we are to answer.
//
// A direct range is the exception for a host that is at home on one of them: there its own packets go directly, without
// its being thrown elsewhere. Rule 21407 takes only routes of main as long as the range or longer: an address on that
// link, and nothing that another network's DHCP would call a default route. Answers from an address within the range go
// out where they came in, for the other end of the tunnel would not take them. What it sends from its WireGuard
// addresses goes through WireGuard all the same (21406), and so does what it forwards, in both directions.
//
// With table = main there are neither rules nor throw routes: AllowedIPs compete with all other routes there, and a
// peer whose AllowedIPs cover its own endpoint has to be refused by others.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/base/result.h"
#include "lib/network/network.h"

namespace anubis::network {

// Below 32766, or main would decide first; far above the low hundreds where administrators put what must come before
// everything, and beside one another. A rule added by hand without a priority gets the one before the first.
inline constexpr std::uint32_t kProductionBearerPriority = 21400;
inline constexpr std::uint32_t kSideBearerPriority = 21401;
inline constexpr std::uint32_t kPortsOfArrivalsPriority = 21402;
inline constexpr std::uint32_t kMarkPriority = 21403;
inline constexpr std::uint32_t kNowherePriority = 21404;
inline constexpr std::uint32_t kOwnAddressesPriority = 21406;
inline constexpr std::uint32_t kDirectPriority = 21407;
inline constexpr std::uint32_t kTablePriority = 21410;

struct PolicyRoutingInput {
  std::uint16_t production_listen_port = 0;
  std::uint16_t side_listen_port = 0;
  std::uint32_t fwmark = 0;  // 0: none
  std::uint32_t table = 214;
  std::span<const model::IpPrefix> throw_ranges;
  std::span<const model::IpPrefix> direct_ranges;      // none of them a default route
  std::span<const model::InterfaceAddress> addresses;  // of the production interface
  // The ranges of the side addresses: a production peer with ::/0 must not attract Anubis' own messages.
  std::span<const model::IpPrefix> side_ranges;
};

struct PolicyRouting {
  std::vector<Rule> rules;    // to be added in this order: the bearer's before the table's
  std::vector<Route> throws;  // to be added before the rules
};

// kInvalid: a table that the kernel uses itself, throw or direct ranges without a table of their own, or a port of 0.
[[nodiscard]] base::Result<PolicyRouting> policy_routing(const PolicyRoutingInput& input);

}  // namespace anubis::network

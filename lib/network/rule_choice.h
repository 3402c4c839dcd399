// Which routing rule leads a packet of this host's own to the table that its route stands in. Pure.
#pragma once

#include <cstdint>

#include "lib/model/ip.h"
#include "lib/network/message.h"

namespace anubis::network {

// As rules see it: without a mark, without ports, and not bound to an address or interface.
struct OwnPacket {
  model::IpAddress destination;
  std::uint8_t ip_protocol = 0;
  std::uint32_t uid = 0;  // of the process that sends it
};

// The route that the kernel has found for it.
struct FoundRoute {
  std::uint32_t table = 0;
  std::uint8_t prefix_length = 0;
};

// A rule of RTM_NEWRULE that is asked for this packet, looks into that table and takes what it finds there. The first
// such rule of a dump is the one that led there; rules that jump to others (goto) are not followed.
[[nodiscard]] bool leads_to(const ReceivedMessage& rule, const OwnPacket& packet, const FoundRoute& route);

[[nodiscard]] std::uint32_t rule_priority(const ReceivedMessage& rule);

}  // namespace anubis::network

// Entries of the neighbour table (ARP, neighbour discovery) as netlink messages: how they are asked for and read. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "lib/model/ip.h"
#include "lib/model/mac_address.h"
#include "lib/network/message.h"

namespace anubis::network {

// Kernels before 5.0 do not know it.
[[nodiscard]] Message neighbour_query(std::uint32_t ifindex, const model::IpAddress& address);
// Has the kernel look for the neighbour, as a packet to it would.
[[nodiscard]] Message neighbour_use(std::uint32_t ifindex, const model::IpAddress& address);

struct Neighbour {
  std::optional<model::MacAddress> mac;  // none: not known, or of another size
  bool is_in_doubt = true;               // not known, or known from long ago
};
// Of RTM_NEWNEIGH.
[[nodiscard]] std::optional<Neighbour> parse_neighbour(const ReceivedMessage& message);

}  // namespace anubis::network

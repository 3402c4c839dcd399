#include "lib/network/neighbour_message.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

namespace anubis::network {
namespace {

ndmsg neighbour_header(std::uint32_t ifindex, const model::IpAddress& address) {
  ndmsg header{};
  header.ndm_family = address_family(address.family());
  header.ndm_ifindex = static_cast<int>(ifindex);
  return header;
}

}  // namespace

Message neighbour_query(std::uint32_t ifindex, const model::IpAddress& address) {
  Message message(RTM_GETNEIGH, 0, neighbour_header(ifindex, address));
  return message.put(NDA_DST, address);
}

Message neighbour_use(std::uint32_t ifindex, const model::IpAddress& address) {
  ndmsg header = neighbour_header(ifindex, address);
  header.ndm_flags = NTF_USE;
  Message message(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE, header);
  return message.put(NDA_DST, address);
}

std::optional<Neighbour> parse_neighbour(const ReceivedMessage& message) {
  if (message.type != RTM_NEWNEIGH) return std::nullopt;
  const auto header = header_of<ndmsg>(message.payload);
  if (!header) return std::nullopt;
  constexpr int kCertain = NUD_REACHABLE | NUD_PERMANENT | NUD_NOARP;
  constexpr int kKnown = kCertain | NUD_STALE | NUD_DELAY | NUD_PROBE;
  Neighbour neighbour;
  neighbour.is_in_doubt = (header->ndm_state & kCertain) == 0;
  const auto bytes = Attributes::behind(message.payload, sizeof *header).bytes(NDA_LLADDR);
  if ((header->ndm_state & kKnown) != 0 && bytes && bytes->size() == model::MacAddress::kSize) {
    neighbour.mac = model::MacAddress(bytes->first<model::MacAddress::kSize>());
  }
  return neighbour;
}

}  // namespace anubis::network

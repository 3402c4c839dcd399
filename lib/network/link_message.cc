#include "lib/network/link_message.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace anubis::network {
namespace {

ifinfomsg link_header(std::uint32_t ifindex) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(ifindex);
  return header;
}

Message link_query(const ifinfomsg& header) {
  Message message(RTM_GETLINK, 0, header);
  return message.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

Message address_message(std::uint16_t type, std::uint16_t flags, std::uint32_t ifindex,
                        const model::InterfaceAddress& address) {
  ifaddrmsg header{};
  header.ifa_family = address_family(address.address.family());
  header.ifa_prefixlen = address.length;
  header.ifa_index = ifindex;
  Message message(type, static_cast<std::uint16_t>(NLM_F_ACK | flags), header);
  return message.put(IFA_LOCAL, address.address).put(IFA_ADDRESS, address.address);
}

}  // namespace

Message link_query(std::string_view name) { return link_query(link_header(0)).put_text(IFLA_IFNAME, name); }
Message link_query(std::uint32_t ifindex) { return link_query(link_header(ifindex)); }

Message link_dump() {
  Message message(RTM_GETLINK, NLM_F_DUMP, link_header(0));
  return message.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

std::vector<Message> wireguard_link_creation(std::string_view name, std::uint32_t ifindex, std::string_view alias) {
  Message creation(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, link_header(ifindex));
  creation.put_text(IFLA_IFNAME, name).put_nested_text(IFLA_LINKINFO, IFLA_INFO_KIND, "wireguard");
  return {creation, link_change(ifindex, {.mtu = {}, .up = {}, .alias = std::string(alias)})};
}

Message link_deletion(std::uint32_t ifindex) { return {RTM_DELLINK, NLM_F_ACK, link_header(ifindex)}; }

Message link_change(std::uint32_t ifindex, const LinkSettings& settings) {
  ifinfomsg header = link_header(ifindex);
  if (settings.up) {
    header.ifi_change = IFF_UP;
    header.ifi_flags = *settings.up ? IFF_UP : 0;
  }
  Message message(RTM_NEWLINK, NLM_F_ACK, header);
  if (settings.mtu) message.put_u32(IFLA_MTU, *settings.mtu);
  if (settings.alias && settings.alias->empty()) message.put(IFLA_IFALIAS, ByteView{});  // of length 0: none
  if (settings.alias && !settings.alias->empty()) message.put_text(IFLA_IFALIAS, *settings.alias);
  return message;
}

std::optional<Link> parse_link(const ReceivedMessage& message) {
  if (message.type != RTM_NEWLINK && message.type != RTM_DELLINK) return std::nullopt;
  const auto header = header_of<ifinfomsg>(message.payload);
  if (!header || header->ifi_index <= 0) return std::nullopt;
  const auto attributes = Attributes::behind(message.payload, sizeof *header);
  Link link;
  link.index = static_cast<std::uint32_t>(header->ifi_index);
  link.name = attributes.text(IFLA_IFNAME);
  if (const auto info = attributes.bytes(IFLA_LINKINFO)) link.kind = Attributes(*info).text(IFLA_INFO_KIND);
  link.mtu = attributes.u32(IFLA_MTU).value_or(0);
  link.up = (header->ifi_flags & IFF_UP) != 0;
  link.alias = attributes.text(IFLA_IFALIAS);
  // IFF_RUNNING would say it up to a second late (net/core/link_watch.c).
  link.running = (header->ifi_flags & (IFF_UP | IFF_LOWER_UP | IFF_DORMANT)) == (IFF_UP | IFF_LOWER_UP);
  link.has_neighbours = (header->ifi_flags & (IFF_NOARP | IFF_LOOPBACK)) == 0;
  return link;
}

Message address_dump(std::uint32_t ifindex) {
  ifaddrmsg header{};
  header.ifa_family = AF_UNSPEC;
  header.ifa_index = ifindex;
  return {RTM_GETADDR, NLM_F_DUMP, header};
}

Message address_addition(std::uint32_t ifindex, const model::InterfaceAddress& address, PrefixRoute prefix_route) {
  Message message = address_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, address);
  // Duplicate address detection would keep the address tentative for a second, and a tunnel has no link to detect on.
  std::uint32_t flags = address.address.family() == model::Family::kV6 ? IFA_F_NODAD : 0;
  if (prefix_route == PrefixRoute::kNone) flags |= IFA_F_NOPREFIXROUTE;
  return message.put_u32(IFA_FLAGS, flags).put_u8(IFA_PROTO, kRouteProtocol);
}

Message address_removal(std::uint32_t ifindex, const model::InterfaceAddress& address) {
  return address_message(RTM_DELADDR, 0, ifindex, address);
}

std::optional<LinkAddress> parse_address(const ReceivedMessage& message) {
  if (message.type != RTM_NEWADDR && message.type != RTM_DELADDR) return std::nullopt;
  const auto header = header_of<ifaddrmsg>(message.payload);
  if (!header) return std::nullopt;
  const auto attributes = Attributes::behind(message.payload, sizeof *header);
  // IFA_ADDRESS is the other end's on a point-to-point link; IPv6 leaves IFA_LOCAL out when there is no other end.
  auto address = attributes.address(IFA_LOCAL);
  if (!address) address = attributes.address(IFA_ADDRESS);
  if (!address || header->ifa_prefixlen > address->bits()) return std::nullopt;
  const std::uint32_t flags = attributes.u32(IFA_FLAGS).value_or(header->ifa_flags);
  const bool is_in_doubt = (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0;
  const bool is_local = header->ifa_scope >= RT_SCOPE_LINK || address->is_link_local() || address->is_loopback();
  return LinkAddress{header->ifa_index,
                     {{*address, header->ifa_prefixlen}, attributes.u8(IFA_PROTO).value_or(0)},
                     !is_in_doubt && !is_local};
}

}  // namespace anubis::network

// Links and their addresses as netlink messages: how they are asked for, made and read. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "lib/network/message.h"
#include "lib/network/network.h"

namespace anubis::network {

[[nodiscard]] Message link_query(std::string_view name);
[[nodiscard]] Message link_query(std::uint32_t ifindex);
[[nodiscard]] Message link_dump();
// To be sent at once: creating cannot set the alias, so a second message does. The link gets that index, by which it
// can be told from one of the same name that somebody else made. EBUSY: another link has it.
[[nodiscard]] std::vector<Message> wireguard_link_creation(std::string_view name, std::uint32_t ifindex,
                                                           std::string_view alias);
[[nodiscard]] Message link_deletion(std::uint32_t ifindex);
[[nodiscard]] Message link_change(std::uint32_t ifindex, const LinkSettings& settings);
// Of RTM_NEWLINK and RTM_DELLINK.
[[nodiscard]] std::optional<Link> parse_link(const ReceivedMessage& message);

[[nodiscard]] Message address_dump(std::uint32_t ifindex);  // 0: of all links
[[nodiscard]] Message address_addition(std::uint32_t ifindex, const model::InterfaceAddress& address,
                                       PrefixRoute prefix_route);
[[nodiscard]] Message address_removal(std::uint32_t ifindex, const model::InterfaceAddress& address);

struct LinkAddress {
  std::uint32_t ifindex = 0;
  Address address;
  bool is_usable = false;  // reaches beyond the link, and nobody else was found to have it
};
// Of RTM_NEWADDR and RTM_DELADDR.
[[nodiscard]] std::optional<LinkAddress> parse_address(const ReceivedMessage& message);

}  // namespace anubis::network

#include "lib/network/rule_choice.h"

#include <linux/fib_rules.h>

namespace anubis::network {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;  // what FRA_SUPPRESS_PREFIXLEN says where nothing is suppressed

bool is_within(const Attributes& attributes, std::uint16_t type, std::uint8_t length, const model::IpAddress& address) {
  if (length == 0) return true;
  const auto range = attributes.address(type);
  return range && range->family() == address.family() && length <= range->bits() &&
         model::IpPrefix(*range, length).contains(address);
}

bool selects(const fib_rule_hdr& header, const Attributes& attributes, const OwnPacket& packet) {
  if (header.tos != 0 || attributes.u8(FRA_L3MDEV).value_or(0) != 0) return false;
  if (attributes.bytes(FRA_SPORT_RANGE) || attributes.bytes(FRA_DPORT_RANGE) || attributes.bytes(FRA_TUN_ID))
    return false;
  const std::string input = attributes.text(FRA_IIFNAME);
  if (!input.empty() && input != "lo") return false;  // "lo": from here
  if (!attributes.text(FRA_OIFNAME).empty()) return false;
  if (const auto mark = attributes.u32(FRA_FWMARK); mark && (*mark & attributes.u32(FRA_FWMASK).value_or(kNone)) != 0)
    return false;
  if (const auto protocol = attributes.u8(FRA_IP_PROTO); protocol && *protocol != packet.ip_protocol) return false;
  if (const auto uids = attributes.bytes(FRA_UID_RANGE)) {
    const auto range = header_of<fib_rule_uid_range>(*uids);
    if (!range || packet.uid < range->start || packet.uid > range->end) return false;
  }
  // The packet has no source yet: its route decides that.
  return header.src_len == 0 && is_within(attributes, FRA_DST, header.dst_len, packet.destination);
}

}  // namespace

bool leads_to(const ReceivedMessage& rule, const OwnPacket& packet, const FoundRoute& route) {
  const auto header = header_of<fib_rule_hdr>(rule.payload);
  if (!header || header->action != FR_ACT_TO_TBL || header->family != address_family(packet.destination.family()))
    return false;
  const auto attributes = Attributes::behind(rule.payload, sizeof *header);
  if (attributes.u32(FRA_TABLE).value_or(header->table) != route.table) return false;
  const std::uint32_t suppressed = attributes.u32(FRA_SUPPRESS_PREFIXLEN).value_or(kNone);
  if (suppressed != kNone && route.prefix_length <= suppressed) return false;
  const bool inverted = (header->flags & FIB_RULE_INVERT) != 0;
  return selects(*header, attributes, packet) != inverted;
}

std::uint32_t rule_priority(const ReceivedMessage& rule) {
  return Attributes::behind(rule.payload, sizeof(fib_rule_hdr)).u32(FRA_PRIORITY).value_or(0);
}

}  // namespace anubis::network

#include "lib/network/rule_message.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace anubis::network {
namespace {

// What a rule may ask for and a Rule does not know. A rule that has one of them is not one of ours.
constexpr std::uint16_t kInexpressible[] = {FRA_GOTO, FRA_TUN_ID, FRA_SUPPRESS_IFGROUP, FRA_UID_RANGE, FRA_DPORT_RANGE};
constexpr std::uint32_t kSuppressNothing = 0xffffffff;  // always told, unlike all else that is absent

std::uint8_t action_of(RuleAction action) {
  switch (action) {
    case RuleAction::kLookUp:
      return FR_ACT_TO_TBL;
    case RuleAction::kUnreachable:
      return FR_ACT_UNREACHABLE;
  }
  return FR_ACT_UNSPEC;
}

Message rule_message(std::uint16_t type, std::uint16_t flags, const Rule& rule) {
  fib_rule_hdr header{};
  header.family = address_family(rule.family);
  header.table = rule.table < 256 ? static_cast<std::uint8_t>(rule.table) : static_cast<std::uint8_t>(RT_TABLE_UNSPEC);
  header.action = action_of(rule.action);
  if (rule.source) header.src_len = rule.source->length();
  if (rule.destination) header.dst_len = rule.destination->length();
  Message message(type, static_cast<std::uint16_t>(NLM_F_ACK | flags), header);
  message.put_u32(FRA_PRIORITY, rule.priority).put_u32(FRA_TABLE, rule.table).put_u8(FRA_PROTOCOL, rule.protocol);
  if (!rule.input_interface.empty()) message.put_text(FRA_IIFNAME, rule.input_interface);
  if (!rule.output_interface.empty()) message.put_text(FRA_OIFNAME, rule.output_interface);
  if (rule.fwmark) message.put_u32(FRA_FWMARK, rule.fwmark->value).put_u32(FRA_FWMASK, rule.fwmark->mask);
  if (rule.source) message.put(FRA_SRC, rule.source->address());
  if (rule.destination) message.put(FRA_DST, rule.destination->address());
  if (rule.suppress_prefix_length) message.put_u32(FRA_SUPPRESS_PREFIXLEN, *rule.suppress_prefix_length);
  if (rule.ip_protocol) message.put_u8(FRA_IP_PROTO, *rule.ip_protocol);
  if (rule.source_ports) {
    // In host order, unlike nearly every other port in the kernel's interfaces.
    const fib_rule_port_range range{rule.source_ports->first, rule.source_ports->last};
    message.put(FRA_SPORT_RANGE, as_bytes_of(range));
  }
  return message;
}

}  // namespace

Message rule_addition(const Rule& rule) { return rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule); }
Message rule_removal(const Rule& rule) { return rule_message(RTM_DELRULE, 0, rule); }

Message rule_dump(model::Family family) {
  fib_rule_hdr header{};
  header.family = address_family(family);
  return {RTM_GETRULE, NLM_F_DUMP, header};
}

std::optional<Rule> parse_rule(const ReceivedMessage& message) {
  if (message.type != RTM_NEWRULE && message.type != RTM_DELRULE) return std::nullopt;
  const auto header = header_of<fib_rule_hdr>(message.payload);
  if (!header || (header->family != AF_INET && header->family != AF_INET6)) return std::nullopt;
  const auto attributes = Attributes::behind(message.payload, sizeof *header);
  if (header->action != FR_ACT_TO_TBL && header->action != FR_ACT_UNREACHABLE) return std::nullopt;
  if ((header->flags & FIB_RULE_INVERT) != 0 || header->tos != 0) return std::nullopt;
  for (const std::uint16_t type : kInexpressible)
    if (attributes.bytes(type)) return std::nullopt;
  if (attributes.u8(FRA_L3MDEV).value_or(0) != 0) return std::nullopt;

  Rule rule;
  rule.family = header->family == AF_INET ? model::Family::kV4 : model::Family::kV6;
  rule.priority = attributes.u32(FRA_PRIORITY).value_or(0);
  rule.action = header->action == FR_ACT_TO_TBL ? RuleAction::kLookUp : RuleAction::kUnreachable;
  rule.table = attributes.u32(FRA_TABLE).value_or(header->table);
  rule.protocol = attributes.u8(FRA_PROTOCOL).value_or(0);
  rule.input_interface = attributes.text(FRA_IIFNAME);
  rule.output_interface = attributes.text(FRA_OIFNAME);
  if (const auto source = attributes.address(FRA_SRC)) rule.source = model::IpPrefix(*source, header->src_len);
  if (const auto destination = attributes.address(FRA_DST)) {
    rule.destination = model::IpPrefix(*destination, header->dst_len);
  }
  const std::uint32_t suppressed = attributes.u32(FRA_SUPPRESS_PREFIXLEN).value_or(kSuppressNothing);
  if (suppressed != kSuppressNothing) rule.suppress_prefix_length = suppressed;
  rule.ip_protocol = attributes.u8(FRA_IP_PROTO);
  const auto mark = attributes.u32(FRA_FWMARK);
  const auto mask = attributes.u32(FRA_FWMASK);
  if (mark || mask) rule.fwmark = FirewallMark{mark.value_or(0), mask.value_or(0xffffffff)};
  if (const auto range = attributes.bytes(FRA_SPORT_RANGE)) {
    const auto ports = header_of<fib_rule_port_range>(*range);
    if (!ports) return std::nullopt;
    rule.source_ports = PortRange{ports->start, ports->end};
  }
  return rule;
}

}  // namespace anubis::network

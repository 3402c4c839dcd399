#include "firewall/foreign_message.h"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_tcpudp.h>

#include "firewall/attributes.h"

namespace anubis::firewall {
namespace {

Expression is(bool matches) { return {.kind = Kind::kIs, .matches = matches}; }
Expression may() { return {.kind = Kind::kMay}; }
Expression ends(VerdictKind kind, std::string chain = {}) {
  return {.kind = Kind::kVerdict, .verdict = {kind, std::move(chain)}};
}

Value value_of(ByteView bytes) { return {bytes.begin(), bytes.end()}; }
Value data_of(const Attributes& parts, std::uint16_t type) {
  return value_of(Attributes(parts.bytes(type)).bytes(NFTA_DATA_VALUE));
}

Verdict verdict_of(ByteView data) {
  const Attributes parts(Attributes(data).bytes(NFTA_DATA_VERDICT));
  const auto code = static_cast<std::int32_t>(parts.u32(NFTA_VERDICT_CODE).value_or(NF_MAX_VERDICT));
  std::string chain = parts.text(NFTA_VERDICT_CHAIN);
  switch (code) {
    case NF_ACCEPT:
      return {VerdictKind::kAccept, {}};
    case NF_DROP:
      return {VerdictKind::kDrop, {}};
    case NFT_CONTINUE:
      return {VerdictKind::kContinue, {}};
    case NFT_RETURN:
      return {VerdictKind::kReturn, {}};
    case NFT_JUMP:
      return {VerdictKind::kJump, std::move(chain)};
    case NFT_GOTO:
      return {VerdictKind::kGoto, std::move(chain)};
    default:  // a queue, or what a later kernel has: no enum of ours
      return {VerdictKind::kUnknown, {}};
  }
}

Field meta_field(std::uint32_t key) {
  switch (key) {
    case NFT_META_IIFNAME:
      return Field::kLinkName;
    case NFT_META_IIF:
      return Field::kLinkIndex;
    case NFT_META_NFPROTO:
      return Field::kFamily;
    case NFT_META_PROTOCOL:
      return Field::kEtherType;
    case NFT_META_L4PROTO:
      return Field::kProtocol;
    default:  // no enum of ours
      return Field::kUnknown;
  }
}

Field connection_field(std::uint32_t key) {
  switch (key) {
    case NFT_CT_STATE:
      return Field::kConnectionState;
    case NFT_CT_STATUS:
      return Field::kConnectionStatus;
    default:  // no enum of ours
      return Field::kUnknown;
  }
}

Field payload_field(const Attributes& parts) {
  const auto base = parts.u32(NFTA_PAYLOAD_BASE);
  const auto offset = parts.u32(NFTA_PAYLOAD_OFFSET);
  const auto length = parts.u32(NFTA_PAYLOAD_LEN);
  if (base == NFT_PAYLOAD_TRANSPORT_HEADER && offset == 2u && length == 2u) return Field::kDestinationPort;
  if (base == NFT_PAYLOAD_TRANSPORT_HEADER && offset == 0u && length == 4u) return Field::kPorts;
  // The protocol of IPv4 stands at 9, the next header of IPv6 at 6. Which it is, the table or a rule before has asked.
  if (base == NFT_PAYLOAD_NETWORK_HEADER && (offset == 9u || offset == 6u) && length == 1u) return Field::kProtocol;
  return Field::kUnknown;
}

Comparison comparison_of(std::uint32_t operation) {
  switch (operation) {
    case NFT_CMP_NEQ:
      return Comparison::kUnequal;
    case NFT_CMP_LT:
      return Comparison::kLess;
    case NFT_CMP_LTE:
      return Comparison::kLessOrEqual;
    case NFT_CMP_GT:
      return Comparison::kGreater;
    case NFT_CMP_GTE:
      return Comparison::kGreaterOrEqual;
    default:  // NFT_CMP_EQ; no enum of ours
      return Comparison::kEqual;
  }
}

template <class Info>
std::optional<Info> info_of(ByteView bytes) {
  if (bytes.size() < sizeof(Info)) return std::nullopt;
  Info info{};
  std::memcpy(&info, bytes.data(), sizeof info);
  return info;
}

// A port between two others, as xtables keeps them: in network order where nftables compares, hence the swap.
Expression port_between(std::uint16_t first, std::uint16_t last, bool inverted) {
  const auto bytes = [](std::uint16_t port) {
    return Value{static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port & 0xff)};
  };
  return {.kind = Kind::kRange, .source = 0xffff, .value = bytes(first), .mask = bytes(last), .inverted = inverted};
}

// What iptables-nft leaves to a module of xtables.
void append_xtables_match(const Attributes& parts, ForeignRule& rule) {
  const std::string name = parts.text(NFTA_MATCH_NAME);
  const std::uint32_t revision = parts.u32(NFTA_MATCH_REV).value_or(0);
  const ByteView bytes = parts.bytes(NFTA_MATCH_INFO);
  if (name == "comment") return rule.push_back(is(true));
  if (name == "tcp" || name == "icmp" || name == "icmp6") return rule.push_back(is(false));
  if (name == "udp") {
    const auto info = info_of<xt_udp>(bytes);
    if (!info) return rule.push_back(may());
    rule.push_back({.kind = Kind::kLoad, .target = 0xffff, .field = Field::kDestinationPort});
    rule.push_back(port_between(info->dpts[0], info->dpts[1], (info->invflags & XT_UDP_INV_DSTPT) != 0));
    if (info->spts[0] != 0 || info->spts[1] != 0xffff) rule.push_back(may());
    return;
  }
  if (name == "conntrack" && revision >= 2) {
    const auto info = info_of<xt_conntrack_mtinfo2>(bytes);
    if (info && info->match_flags == XT_CONNTRACK_STATE) {
      const bool is_new = (info->state_mask & XT_CONNTRACK_STATE_BIT(IP_CT_NEW)) != 0;
      return rule.push_back(is(is_new != ((info->invert_flags & XT_CONNTRACK_STATE) != 0)));
    }
  }
  if (name == "multiport" && revision == 1) {
    const auto info = info_of<xt_multiport_v1>(bytes);
    if (info && info->flags == XT_MULTIPORT_DESTINATION && info->invert == 0 && info->count == 1 &&
        info->pflags[0] == 0) {
      rule.push_back({.kind = Kind::kLoad, .target = 0xffff, .field = Field::kDestinationPort});
      return rule.push_back(port_between(info->ports[0], info->ports[0], false));
    }
  }
  rule.push_back(may());
}

void append_xtables_target(const Attributes& parts, ForeignRule& rule) {
  const std::string name = parts.text(NFTA_TARGET_NAME);
  for (const char* harmless : {"LOG", "NFLOG", "MARK", "CONNMARK", "TRACE", "CLASSIFY", "AUDIT", "CT", "NOTRACK"}) {
    if (name == harmless) return rule.push_back(is(true));
  }
  rule.push_back(ends(name == "REJECT" || name == "TARPIT" ? VerdictKind::kDrop : VerdictKind::kUnknown));
}

void append_immediate(const Attributes& parts, ForeignRule& rule) {
  const std::uint32_t target = parts.u32(NFTA_IMMEDIATE_DREG).value_or(NFT_REG_VERDICT);
  if (target == NFT_REG_VERDICT) {
    rule.push_back({.kind = Kind::kVerdict, .verdict = verdict_of(parts.bytes(NFTA_IMMEDIATE_DATA))});
  } else {
    rule.push_back({.kind = Kind::kSet, .target = target, .value = data_of(parts, NFTA_IMMEDIATE_DATA)});
  }
}

void append_lookup(const Attributes& parts, ForeignRule& rule) {
  const auto target = parts.u32(NFTA_LOOKUP_DREG);
  Expression lookup{.kind = Kind::kLookup,
                    .source = parts.u32(NFTA_LOOKUP_SREG).value_or(0),
                    .set = parts.text(NFTA_LOOKUP_SET),
                    .is_map = target == NFT_REG_VERDICT,
                    .inverted = (parts.u32(NFTA_LOOKUP_FLAGS).value_or(0) & NFT_LOOKUP_F_INV) != 0};
  rule.push_back(std::move(lookup));
  // A map of anything but verdicts.
  if (target && *target != NFT_REG_VERDICT) rule.push_back({.kind = Kind::kLoad, .target = *target});
}

void append_bitwise(const Attributes& parts, ForeignRule& rule) {
  const std::uint32_t target = parts.u32(NFTA_BITWISE_DREG).value_or(0);
  if (parts.u32(NFTA_BITWISE_OP).value_or(0) != 0) return rule.push_back({.kind = Kind::kLoad, .target = target});
  rule.push_back({.kind = Kind::kMask,
                  .source = parts.u32(NFTA_BITWISE_SREG).value_or(0),
                  .target = target,
                  .value = data_of(parts, NFTA_BITWISE_XOR),
                  .mask = data_of(parts, NFTA_BITWISE_MASK)});
}

void append_expression(const std::string& name, const Attributes& parts, ForeignRule& rule) {
  if (name == "counter" || name == "log" || name == "notrack" || name == "objref" || name == "last") return;
  if (name == "meta") {
    const auto target = parts.u32(NFTA_META_DREG);
    if (!target) return;  // it sets something
    return rule.push_back(
        {.kind = Kind::kLoad, .target = *target, .field = meta_field(parts.u32(NFTA_META_KEY).value_or(0xffff))});
  }
  if (name == "ct") {
    const auto target = parts.u32(NFTA_CT_DREG);
    if (!target) return;
    return rule.push_back(
        {.kind = Kind::kLoad, .target = *target, .field = connection_field(parts.u32(NFTA_CT_KEY).value_or(0xffff))});
  }
  if (name == "payload") {
    const auto target = parts.u32(NFTA_PAYLOAD_DREG);
    if (target) rule.push_back({.kind = Kind::kLoad, .target = *target, .field = payload_field(parts)});
    return;
  }
  if (name == "immediate") return append_immediate(parts, rule);
  if (name == "lookup") return append_lookup(parts, rule);
  if (name == "bitwise") return append_bitwise(parts, rule);
  if (name == "cmp") {
    return rule.push_back({.kind = Kind::kCompare,
                           .source = parts.u32(NFTA_CMP_SREG).value_or(0),
                           .comparison = comparison_of(parts.u32(NFTA_CMP_OP).value_or(NFT_CMP_EQ)),
                           .value = data_of(parts, NFTA_CMP_DATA)});
  }
  if (name == "range") {
    return rule.push_back({.kind = Kind::kRange,
                           .source = parts.u32(NFTA_RANGE_SREG).value_or(0),
                           .value = data_of(parts, NFTA_RANGE_FROM_DATA),
                           .mask = data_of(parts, NFTA_RANGE_TO_DATA),
                           .inverted = parts.u32(NFTA_RANGE_OP).value_or(0) == NFT_RANGE_NEQ});
  }
  if (name == "reject") return rule.push_back(ends(VerdictKind::kDrop));
  if (name == "match") return append_xtables_match(parts, rule);
  if (name == "target") return append_xtables_target(parts, rule);
  // Loads something that nobody can tell (fib, socket, numgen, exthdr, …), or may match (limit, quota, dynset, …).
  rule.push_back(may());
}

}  // namespace

ForeignRule parse_expressions(ByteView expressions) {
  ForeignRule rule;
  for_each_attribute(expressions, [&](std::uint16_t, ByteView each) {
    const Attributes expression(each);
    append_expression(expression.text(NFTA_EXPR_NAME), Attributes(expression.bytes(NFTA_EXPR_DATA)), rule);
  });
  return rule;
}

SetRecord parse_set(ByteView attributes) {
  const Attributes parts(attributes);
  return {parts.text(NFTA_SET_NAME), (parts.u32(NFTA_SET_FLAGS).value_or(0) & NFT_SET_INTERVAL) != 0};
}

void append_elements(ByteView attributes, ForeignSet& set) {
  for_each_attribute(Attributes(attributes).bytes(NFTA_SET_ELEM_LIST_ELEMENTS), [&](std::uint16_t, ByteView element) {
    const Attributes parts(element);
    set.elements.push_back(
        {.key = data_of(parts, NFTA_SET_ELEM_KEY),
         .is_end = (parts.u32(NFTA_SET_ELEM_FLAGS).value_or(0) & NFT_SET_ELEM_INTERVAL_END) != 0,
         .verdict = parts.has(NFTA_SET_ELEM_DATA) ? verdict_of(parts.bytes(NFTA_SET_ELEM_DATA)) : Verdict{}});
  });
}

void sort_elements(ForeignSet& set) {
  std::ranges::sort(set.elements, [](const ForeignSet::Element& a, const ForeignSet::Element& b) {
    return a.key != b.key ? a.key < b.key : a.is_end && !b.is_end;
  });
}

}  // namespace anubis::firewall

#include "firewall/message.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "firewall/attributes.h"
#include "firewall/ruleset.h"

namespace anubis::firewall {
namespace {

using model::Family;
using model::IpAddress;

// A nested attribute has 16 bits for its length; an element takes up to 40 bytes, a range two elements.
constexpr std::size_t kRangesAMessage = 500;
constexpr std::size_t kBytesARange = 2 * 48;
constexpr std::size_t kBytesBesides = 256;

bool is_last(const IpAddress& address) {
  return std::ranges::all_of(address.bytes(), [](std::uint8_t byte) { return byte == 0xff; });
}

void put_element(nlmsghdr* message, const IpAddress& address, std::uint32_t flags) {
  nlattr* const element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
  if (flags != 0) mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(flags));
  nlattr* const key = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);
  mnl_attr_put(message, NFTA_DATA_VALUE, address.bytes().size(), address.bytes().data());
  mnl_attr_nest_end(message, key);
  mnl_attr_nest_end(message, element);
}

void put_text(nlmsghdr* message, std::uint16_t type, std::string_view text) {
  mnl_attr_put_strz(message, type, std::string(text).c_str());
}

Bytes one_message(std::string_view set, std::span<const Range> ranges, Change change) {
  Bytes bytes(kBytesBesides + ranges.size() * kBytesARange);
  nlmsghdr* const message = mnl_nlmsg_put_header(bytes.data());
  const bool adds = change == Change::kAdd;
  message->nlmsg_type =
      static_cast<std::uint16_t>((NFNL_SUBSYS_NFTABLES << 8) | (adds ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM));
  message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | (adds ? NLM_F_CREATE : 0));
  auto* const header = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
  header->nfgen_family = NFPROTO_INET;
  header->version = NFNETLINK_V0;
  put_text(message, NFTA_SET_ELEM_LIST_TABLE, kTable);
  put_text(message, NFTA_SET_ELEM_LIST_SET, set);
  nlattr* const elements = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
  for (const Range& range : ranges) {
    put_element(message, range.first, 0);
    // A range up to the last address of all has no end.
    if (!is_last(range.last)) put_element(message, next(range.last), NFT_SET_ELEM_INTERVAL_END);
  }
  mnl_attr_nest_end(message, elements);
  bytes.resize(message->nlmsg_len);
  return bytes;
}

// Attributes alone, without a message around them.
class AttributeWriter {
 public:
  AttributeWriter() : bytes_(kBytesBesides) { mnl_nlmsg_put_header(bytes_.data()); }
  AttributeWriter& put(std::uint16_t type, std::string_view text) {
    put_text(header(), type, text);
    return *this;
  }
  Bytes take() { return {bytes_.begin() + MNL_NLMSG_HDRLEN, bytes_.begin() + header()->nlmsg_len}; }

 private:
  nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(bytes_.data()); }
  Bytes bytes_;
};

// libnftables keeps a rule's comment among what the kernel only stores: type, length, text with its zero.
std::string comment_of(ByteView userdata) {
  constexpr std::uint8_t kComment = 0;
  while (userdata.size() >= 2) {
    const std::size_t length = std::min<std::size_t>(userdata[1], userdata.size() - 2);
    if (userdata[0] == kComment) return text_of(userdata.subspan(2, length));
    userdata = userdata.subspan(2 + length);
  }
  return {};
}

}  // namespace

std::vector<Bytes> change_elements(std::string_view set, std::span<const Range> ranges, Change change) {
  std::vector<Bytes> messages;
  while (!ranges.empty()) {
    const std::size_t count = std::min(ranges.size(), kRangesAMessage);
    messages.push_back(one_message(set, ranges.first(count), change));
    ranges = ranges.subspan(count);
  }
  return messages;
}

Bytes narrowed_to_set(std::string_view table, std::string_view set) {
  return AttributeWriter().put(NFTA_SET_ELEM_LIST_TABLE, table).put(NFTA_SET_ELEM_LIST_SET, set).take();
}

Bytes narrowed_to_table(std::string_view table) { return AttributeWriter().put(NFTA_RULE_TABLE, table).take(); }

std::string table_of(ByteView attributes) {
  static_assert(NFTA_TABLE_NAME == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1 && NFTA_SET_TABLE == 1 &&
                NFTA_SET_ELEM_LIST_TABLE == 1 && NFTA_OBJ_TABLE == 1 && NFTA_FLOWTABLE_TABLE == 1);
  return Attributes(attributes).text(NFTA_TABLE_NAME);
}

void append_edges(ByteView attributes, std::vector<Edge>& edges) {
  for_each_attribute(Attributes(attributes).bytes(NFTA_SET_ELEM_LIST_ELEMENTS), [&](std::uint16_t, ByteView element) {
    const Attributes parts(element);
    const ByteView value = Attributes(parts.bytes(NFTA_SET_ELEM_KEY)).bytes(NFTA_DATA_VALUE);
    const bool is_end = (parts.u32(NFTA_SET_ELEM_FLAGS).value_or(0) & NFT_SET_ELEM_INTERVAL_END) != 0;
    if (value.size() == 4) edges.push_back({IpAddress::v4(value.first<4>()), is_end});
    if (value.size() == 16) edges.push_back({IpAddress::v6(value.first<16>()), is_end});
  });
}

std::vector<Range> ranges_of(std::vector<Edge> edges) {
  // Where one range ends and the next begins, the end comes first.
  std::ranges::sort(edges, [](const Edge& a, const Edge& b) {
    return a.address != b.address ? a.address < b.address : a.is_end && !b.is_end;
  });
  std::vector<Range> ranges;
  bool is_open = false;
  for (const Edge& edge : edges) {
    if (is_open) ranges.back().last = previous(edge.address);
    is_open = !edge.is_end;
    if (is_open) ranges.push_back({edge.address, last_address(edge.address.family())});
  }
  return ranges;
}

ChainRecord parse_chain(ByteView attributes) {
  const Attributes parts(attributes);
  const Attributes hook(parts.bytes(NFTA_CHAIN_HOOK));
  return {.name = parts.text(NFTA_CHAIN_NAME),
          .hook = hook.u32(NFTA_HOOK_HOOKNUM),
          .priority = static_cast<std::int32_t>(hook.u32(NFTA_HOOK_PRIORITY).value_or(0)),
          .policy = parts.u32(NFTA_CHAIN_POLICY).value_or(NF_ACCEPT),
          .type = parts.text(NFTA_CHAIN_TYPE)};
}

RuleRecord parse_rule(ByteView attributes) {
  const Attributes parts(attributes);
  return {.chain = parts.text(NFTA_RULE_CHAIN),
          .comment = comment_of(parts.bytes(NFTA_RULE_USERDATA)),
          .expressions = parts.bytes(NFTA_RULE_EXPRESSIONS)};
}

}  // namespace anubis::firewall

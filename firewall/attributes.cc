#include "firewall/attributes.h"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>
#include <linux/netlink.h>

namespace anubis::firewall {

void for_each_attribute(ByteView attributes, const std::function<void(std::uint16_t type, ByteView value)>& visit) {
  while (attributes.size() >= NLA_HDRLEN) {
    nlattr header{};
    std::memcpy(&header, attributes.data(), sizeof header);
    if (header.nla_len < NLA_HDRLEN || header.nla_len > attributes.size()) return;
    visit(header.nla_type & NLA_TYPE_MASK, attributes.subspan(NLA_HDRLEN, header.nla_len - std::size_t{NLA_HDRLEN}));
    attributes = attributes.subspan(std::min<std::size_t>(NLA_ALIGN(header.nla_len), attributes.size()));
  }
}

std::string text_of(ByteView bytes) { return {bytes.begin(), std::ranges::find(bytes, std::uint8_t{0})}; }

Attributes::Attributes(ByteView attributes) {
  for_each_attribute(attributes, [this](std::uint16_t type, ByteView value) {
    if (type < values_.size()) values_[type] = value;
  });
}

ByteView Attributes::bytes(std::uint16_t type) const { return values_[type].value_or(ByteView()); }

bool Attributes::has(std::uint16_t type) const { return values_[type].has_value(); }

std::optional<std::uint32_t> Attributes::u32(std::uint16_t type) const {
  const ByteView value = bytes(type);
  std::uint32_t number = 0;
  if (value.size() != sizeof number) return std::nullopt;
  std::memcpy(&number, value.data(), sizeof number);
  return ntohl(number);
}

std::string Attributes::text(std::uint16_t type) const { return text_of(bytes(type)); }

}  // namespace anubis::firewall

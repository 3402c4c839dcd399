#include "firewall/range.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace anubis::firewall {
namespace {

using model::Family;
using model::IpAddress;
using model::IpPrefix;

using Bytes = std::array<std::uint8_t, 16>;

Bytes bytes_of(const IpAddress& address) {
  Bytes bytes{};
  std::ranges::copy(address.bytes(), bytes.begin());
  return bytes;
}

IpAddress address_of(const Bytes& bytes, Family family) {
  return family == Family::kV4 ? IpAddress::v4(std::span(bytes).first<4>()) : IpAddress::v6(bytes);
}

IpAddress last_of(const IpPrefix& prefix) {
  Bytes bytes = bytes_of(prefix.address());
  for (std::size_t bit = prefix.length(); bit < prefix.address().bits(); ++bit) {
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | (0x80u >> (bit % 8)));
  }
  return address_of(bytes, prefix.family());
}

}  // namespace

Range range_of(const IpPrefix& prefix) { return {prefix.address(), last_of(prefix)}; }

IpAddress next(const IpAddress& address) {
  Bytes bytes = bytes_of(address);
  for (std::size_t i = address.bytes().size(); i-- > 0;) {
    if (++bytes[i] != 0) break;
  }
  return address_of(bytes, address.family());
}

IpAddress previous(const IpAddress& address) {
  Bytes bytes = bytes_of(address);
  for (std::size_t i = address.bytes().size(); i-- > 0;) {
    if (bytes[i]-- != 0) break;
  }
  return address_of(bytes, address.family());
}

IpAddress last_address(Family family) {
  Bytes bytes{};
  bytes.fill(0xff);
  return address_of(bytes, family);
}

std::vector<Range> merge(std::span<const IpPrefix> prefixes, Family family) {
  std::vector<Range> ranges;
  ranges.reserve(prefixes.size());
  for (const IpPrefix& prefix : prefixes) {
    if (prefix.family() == family) ranges.push_back(range_of(prefix));
  }
  std::ranges::sort(ranges);
  std::vector<Range> merged;
  for (const Range& range : ranges) {
    // Behind the last address of all nothing comes, so next() does not mislead: what follows begins within.
    if (!merged.empty() && (range.first <= merged.back().last || range.first == next(merged.back().last))) {
      merged.back().last = std::max(merged.back().last, range.last);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

std::string to_string(const Range& range) {
  for (std::uint8_t length = 0; length < range.first.bits(); ++length) {
    const IpPrefix prefix(range.first, length);
    if (prefix.address() == range.first && range_of(prefix) == range) return prefix.to_string();
  }
  if (range.first == range.last) return range.first.to_string();
  return range.first.to_string() + "-" + range.last.to_string();
}

}  // namespace anubis::firewall

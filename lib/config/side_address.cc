#include "lib/config/side_address.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "lib/crypto/side_address.h"

namespace anubis::config {

using base::ErrorCode;
using base::fail;
using model::IpAddress;
using model::IpPrefix;

base::Result<IpAddress> parse_side_address(std::string_view text) {
  auto address = IpAddress::parse(text);
  if (address && (address->is_unspecified() || address->is_loopback() || address->is_multicast())) {
    return fail(ErrorCode::kInvalid, std::string(text) + " is not the address of one host; give each host its own");
  }
  return address;
}

base::Result<IpPrefix> parse_side_prefix(std::string_view text) {
  auto prefix = IpPrefix::parse(text);
  if (!prefix) return prefix;
  constexpr std::uint8_t kLength = 16;
  constexpr std::uint8_t kUniqueLocal = 0xfc;  // fc00::/7
  if (prefix->family() != model::Family::kV6 || prefix->length() != kLength ||
      (prefix->address().bytes()[0] & 0xfe) != kUniqueLocal) {
    return fail(ErrorCode::kInvalid,
                std::string(text) + " cannot hold side addresses: it must be a /16 within fc00::/7, such as fd77::/16");
  }
  return prefix;
}

IpPrefix default_side_prefix() {
  std::array<std::uint8_t, 16> bytes{};
  std::ranges::copy(crypto::kDefaultSidePrefix, bytes.begin());
  return {IpAddress::v6(bytes), 16};
}

IpAddress derive_side_address(const crypto::SidePublicKey& key, const IpPrefix& prefix) {
  const auto bytes = prefix.address().bytes();
  return IpAddress::v6(crypto::derive_side_address(key, {bytes[0], bytes[1]}));
}

}  // namespace anubis::config

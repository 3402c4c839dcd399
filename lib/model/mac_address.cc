#include "lib/model/mac_address.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace anubis::model {

MacAddress::MacAddress(std::span<const std::uint8_t, kSize> bytes) { std::ranges::copy(bytes, bytes_.begin()); }

base::Result<MacAddress> MacAddress::parse(std::string_view text) {
  constexpr std::size_t kPair = 3;  // with its colon
  MacAddress address;
  bool valid = text.size() == kPair * kSize - 1;
  for (std::size_t i = 0; valid && i < kSize; ++i) {
    const std::string_view digits = text.substr(kPair * i, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.bytes_[i], 16);
    valid =
        error == std::errc{} && end == digits.data() + digits.size() && (i + 1 == kSize || text[kPair * i + 2] == ':');
  }
  if (valid) return address;
  return base::fail(base::ErrorCode::kInvalid,
                    fmt::format("\"{}\" is no MAC address: six pairs of hexadecimal digits with colons between", text));
}

bool MacAddress::is_of_a_host() const {
  constexpr std::uint8_t kGroupBit = 1;  // IEEE 802, of the first byte
  return (bytes_.front() & kGroupBit) == 0 && *this != MacAddress();
}

std::string MacAddress::to_string() const { return fmt::format("{:02x}", fmt::join(bytes_, ":")); }

}  // namespace anubis::model

// The address of a host on its link, as Ethernet and Wi-Fi have it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace anubis::model {

class MacAddress {
 public:
  static constexpr std::size_t kSize = 6;

  MacAddress() = default;  // 00:00:00:00:00:00, which is nobody's
  explicit MacAddress(std::span<const std::uint8_t, kSize> bytes);
  // "52:54:00:12:34:56", in either case. kInvalid otherwise.
  static base::Result<MacAddress> parse(std::string_view text);

  [[nodiscard]] std::span<const std::uint8_t, kSize> bytes() const { return bytes_; }
  // Can be that of a single host: neither zero nor of a group.
  [[nodiscard]] bool is_of_a_host() const;
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const MacAddress&) const = default;

 private:
  std::array<std::uint8_t, kSize> bytes_{};
};

}  // namespace anubis::model

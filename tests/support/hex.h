// Bytes and their hexadecimal digits, for known answers.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace anubis::test {

inline std::vector<std::uint8_t> hex(std::string_view digits) {
  if (digits.size() % 2 != 0) throw std::invalid_argument("half a byte");
  std::vector<std::uint8_t> bytes(digits.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char* begin = digits.data() + 2 * i;
    if (std::from_chars(begin, begin + 2, bytes[i], 16).ptr != begin + 2) throw std::invalid_argument("not hex");
  }
  return bytes;
}

template <std::size_t N>
std::array<std::uint8_t, N> hex_array(std::string_view digits) {
  const auto bytes = hex(digits);
  if (bytes.size() != N) throw std::invalid_argument("another size");
  std::array<std::uint8_t, N> out;
  std::ranges::copy(bytes, out.begin());
  return out;
}

inline std::string to_hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (const std::uint8_t byte : bytes) {
    digits.push_back(kDigits[byte >> 4]);
    digits.push_back(kDigits[byte & 0xf]);
  }
  return digits;
}

}  // namespace anubis::test

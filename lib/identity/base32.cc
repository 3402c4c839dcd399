#include "lib/identity/base32.h"

namespace anubis::identity {
namespace {

constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
constexpr unsigned kBits = 5;

int value_of(char digit) {
  if (digit >= 'a' && digit <= 'z') return digit - 'a';
  if (digit >= 'A' && digit <= 'Z') return digit - 'A';
  if (digit >= '2' && digit <= '7') return digit - '2' + 26;
  return -1;
}

}  // namespace

std::string to_base32(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() * 8 + kBits - 1) / kBits);
  std::uint32_t rest = 0;
  unsigned bits = 0;
  for (const std::uint8_t byte : bytes) {
    rest = rest << 8 | byte;
    bits += 8;
    while (bits >= kBits) text.push_back(kDigits[rest >> (bits -= kBits) & 31u]);
  }
  if (bits > 0) text.push_back(kDigits[rest << (kBits - bits) & 31u]);
  return text;
}

std::optional<base::WipedBytes> from_base32(std::string_view text) {
  base::WipedBytes bytes;
  bytes.reserve(text.size() * kBits / 8);
  std::uint32_t rest = 0;
  unsigned bits = 0;
  for (const char digit : text) {
    const int value = value_of(digit);
    if (value < 0) return std::nullopt;
    rest = rest << kBits | static_cast<std::uint32_t>(value);
    bits += kBits;
    if (bits >= 8) bytes.push_back(static_cast<std::uint8_t>(rest >> (bits -= 8)));
    rest &= (1u << bits) - 1;
  }
  if (bits >= kBits || rest != 0) return std::nullopt;
  return bytes;
}

}  // namespace anubis::identity

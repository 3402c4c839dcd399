#include "lib/model/ip.h"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

namespace anubis::model {
namespace {

using base::ErrorCode;
using base::fail;

// "ADDRESS" or "ADDRESS/LENGTH".
base::Result<InterfaceAddress> parse_with_length(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return fail(address.error());
  InterfaceAddress parsed{*address, address->bits()};
  if (slash == std::string_view::npos) return parsed;
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || end != digits.data() + digits.size() || length > address->bits()) {
    return fail(ErrorCode::kInvalid, "\"" + std::string(text) + "\" has no valid prefix length: 0 to " +
                                         std::to_string(address->bits()) + " may stand behind the slash");
  }
  parsed.length = static_cast<std::uint8_t>(length);
  return parsed;
}

std::string with_length(const IpAddress& address, std::uint8_t length) {
  return address.to_string() + "/" + std::to_string(length);
}

}  // namespace

IpAddress IpAddress::v4(std::span<const std::uint8_t, 4> bytes) {
  IpAddress address;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

IpAddress IpAddress::v6(std::span<const std::uint8_t, 16> bytes) {
  IpAddress address;
  address.family_ = Family::kV6;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

base::Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  std::array<std::uint8_t, 16> bytes{};
  if (terminated.find('\0') == std::string::npos) {
    if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return v4(std::span(bytes).first<4>());
    if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return v6(bytes);
  }
  return fail(ErrorCode::kInvalid, "\"" + terminated + "\" is not an IPv4 or IPv6 address");
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(bytes_, [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const {
  if (family_ == Family::kV4) return bytes_[0] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t byte) { return byte == 0; }) && bytes_[15] == 1;
}

bool IpAddress::is_multicast() const { return family_ == Family::kV4 ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff; }

bool IpAddress::is_link_local() const {
  return family_ == Family::kV4 ? bytes_[0] == 169 && bytes_[1] == 254
                                : bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

IpAddress IpAddress::masked(std::uint8_t length) const {
  IpAddress masked = *this;
  for (unsigned i = 0; i < bits() / 8u; ++i) {
    const unsigned kept = std::clamp<int>(length - static_cast<int>(i) * 8, 0, 8);
    masked.bytes_[i] = static_cast<std::uint8_t>(masked.bytes_[i] & (0xff00u >> kept));
  }
  return masked;
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(family_ == Family::kV4 ? AF_INET : AF_INET6, bytes_.data(), text, sizeof text);
  return text;
}

IpPrefix::IpPrefix(const IpAddress& address, std::uint8_t length) : address_(address.masked(length)), length_(length) {}

base::Result<IpPrefix> IpPrefix::parse(std::string_view text) {
  const auto parsed = parse_with_length(text);
  if (!parsed) return fail(parsed.error());
  return IpPrefix(parsed->address, parsed->length);
}

bool IpPrefix::contains(const IpAddress& address) const {
  return address.family() == family() && address.masked(length_) == address_;
}

bool IpPrefix::contains(const IpPrefix& other) const { return other.length_ >= length_ && contains(other.address_); }

std::string IpPrefix::to_string() const { return with_length(address_, length_); }

base::Result<InterfaceAddress> InterfaceAddress::parse(std::string_view text) { return parse_with_length(text); }

std::string InterfaceAddress::to_string() const { return with_length(address, length); }

}  // namespace anubis::model

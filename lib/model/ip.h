// IP addresses and prefixes as plain values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace anubis::model {

enum class Family : std::uint8_t { kV4, kV6 };

class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::span<const std::uint8_t, 4> bytes);
  static IpAddress v6(std::span<const std::uint8_t, 16> bytes);
  // "192.0.2.1", "2001:db8::1"; no brackets, no zone. kInvalid otherwise.
  static base::Result<IpAddress> parse(std::string_view text);

  [[nodiscard]] Family family() const { return family_; }
  [[nodiscard]] std::uint8_t bits() const { return family_ == Family::kV4 ? 32 : 128; }
  // Network byte order, 4 or 16 bytes.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {bytes_.data(), bits() / 8u}; }
  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] bool is_link_local() const;
  // With every bit behind the first length ones cleared.
  [[nodiscard]] IpAddress masked(std::uint8_t length) const;
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  Family family_ = Family::kV4;
  std::array<std::uint8_t, 16> bytes_{};  // IPv4 in the first four, the rest zero
};

// A range of addresses, as in AllowedIPs and routes: no bit is set behind the first `length` ones.
class IpPrefix {
 public:
  IpPrefix() = default;  // 0.0.0.0/0
  // Bits behind the length are cleared, as WireGuard does. length <= address.bits().
  IpPrefix(const IpAddress& address, std::uint8_t length);
  // "10.44.0.0/24", "fd44::/64", or an address alone (its full length). kInvalid otherwise.
  static base::Result<IpPrefix> parse(std::string_view text);

  [[nodiscard]] const IpAddress& address() const { return address_; }
  [[nodiscard]] std::uint8_t length() const { return length_; }
  [[nodiscard]] Family family() const { return address_.family(); }
  [[nodiscard]] bool is_default_route() const { return length_ == 0; }
  [[nodiscard]] bool contains(const IpAddress& address) const;
  [[nodiscard]] bool contains(const IpPrefix& other) const;
  [[nodiscard]] bool overlaps(const IpPrefix& other) const { return contains(other) || other.contains(*this); }
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const IpPrefix&) const = default;

 private:
  IpAddress address_;
  std::uint8_t length_ = 0;
};

// The address of an interface with the length of its network: "10.44.0.7/24" keeps its host bits.
struct InterfaceAddress {
  IpAddress address;
  std::uint8_t length = 32;

  static base::Result<InterfaceAddress> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const InterfaceAddress&) const = default;
};

}  // namespace anubis::model

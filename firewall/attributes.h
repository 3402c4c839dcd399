// Netlink attributes within bytes that the kernel sent. Pure; whatever is cut off or malformed counts as absent.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "firewall/netlink.h"

namespace anubis::firewall {

void for_each_attribute(ByteView attributes, const std::function<void(std::uint16_t type, ByteView value)>& visit);

// Up to the first zero.
[[nodiscard]] std::string text_of(ByteView bytes);

// By their type. The values are views into the bytes given.
class Attributes {
 public:
  explicit Attributes(ByteView attributes);

  [[nodiscard]] ByteView bytes(std::uint16_t type) const;  // empty when absent
  [[nodiscard]] bool has(std::uint16_t type) const;
  [[nodiscard]] std::optional<std::uint32_t> u32(std::uint16_t type) const;  // sent in network order
  [[nodiscard]] std::string text(std::uint16_t type) const;

 private:
  // None of the attributes that we read has a higher type.
  std::array<std::optional<ByteView>, 32> values_;
};

}  // namespace anubis::firewall

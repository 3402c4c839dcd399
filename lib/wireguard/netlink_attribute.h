// Reading netlink attributes out of bytes that may hold anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include <linux/netlink.h>

namespace anubis::wireguard {

struct Attribute {
  std::uint16_t type = 0;
  std::span<const std::uint8_t> payload;

  // The payload as a T; none unless it has exactly that size.
  template <class T>
  [[nodiscard]] std::optional<T> as() const {
    if (payload.size() != sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, payload.data(), sizeof value);
    return value;
  }
};

class AttributeReader {
 public:
  explicit AttributeReader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  // None at the end, and where the bytes stop being attributes: malformed() tells the two apart.
  std::optional<Attribute> next() {
    if (rest_.empty()) return std::nullopt;
    nlattr header{};
    if (rest_.size() < sizeof header) return fail();
    std::memcpy(&header, rest_.data(), sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > rest_.size()) return fail();
    const Attribute attribute{static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK),
                              rest_.subspan(sizeof header, header.nla_len - sizeof header)};
    const std::size_t aligned = NLA_ALIGN(header.nla_len);
    rest_ = aligned < rest_.size() ? rest_.subspan(aligned) : std::span<const std::uint8_t>{};
    return attribute;
  }
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  std::optional<Attribute> fail() {
    malformed_ = true;
    rest_ = {};
    return std::nullopt;
  }

  std::span<const std::uint8_t> rest_;
  bool malformed_ = false;
};

}  // namespace anubis::wireguard

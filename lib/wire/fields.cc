#include "lib/wire/fields.h"

#include <cstddef>
#include <optional>

namespace anubis::wire {
namespace {

// Protobuf's wire types; 3 and 4 are groups, which nothing of ours uses.
constexpr std::uint64_t kWireVarint = 0;
constexpr std::uint64_t kWireFixed64 = 1;
constexpr std::uint64_t kWireBytes = 2;
constexpr std::uint64_t kWireFixed32 = 5;

constexpr std::size_t kMaxVarintSize = 10;  // of 64 bits, seven to a byte
constexpr std::size_t kMaxShortSize = 5;    // of 32 bits: tags and lengths

class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> rest) : rest_(rest) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  // None when it is cut off, takes more than max_size bytes or does not fit 64 bits.
  std::optional<std::uint64_t> varint(std::size_t max_size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < max_size && i < rest_.size(); ++i) {
      const std::uint64_t bits = rest_[i] & 0x7f;
      if (i == kMaxVarintSize - 1 && bits > 1) return std::nullopt;
      value |= bits << (7 * i);
      if ((rest_[i] & 0x80) == 0) {
        rest_ = rest_.subspan(i + 1);
        return value;
      }
    }
    return std::nullopt;
  }

  std::optional<std::span<const std::uint8_t>> take(std::uint64_t size) {
    if (size > rest_.size()) return std::nullopt;
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

bool are_varints(std::span<const std::uint8_t> packed) {
  Reader reader(packed);
  while (!reader.at_end()) {
    if (!reader.varint(kMaxVarintSize)) return false;
  }
  return true;
}

bool fits(FieldType type, std::uint64_t wire_type) {
  switch (type) {
    case FieldType::kVarint:
      return wire_type == kWireVarint;
    case FieldType::kBytes:
      return wire_type == kWireBytes;
    case FieldType::kVarints:
      return wire_type == kWireVarint || wire_type == kWireBytes;
  }
  return false;
}

}  // namespace

bool is_well_formed(std::span<const std::uint8_t> payload, std::span<const FieldType> known) {
  Reader reader(payload);
  while (!reader.at_end()) {
    const auto tag = reader.varint(kMaxShortSize);
    if (!tag || *tag > 0xffffffff) return false;
    const std::uint64_t number = *tag >> 3;
    const std::uint64_t wire_type = *tag & 7;
    if (number == 0) return false;
    const bool is_known = number <= known.size();
    if (is_known && !fits(known[number - 1], wire_type)) return false;

    if (wire_type == kWireVarint) {
      if (!reader.varint(kMaxVarintSize)) return false;
    } else if (wire_type == kWireFixed64) {
      if (!reader.take(8)) return false;
    } else if (wire_type == kWireFixed32) {
      if (!reader.take(4)) return false;
    } else if (wire_type == kWireBytes) {
      const auto size = reader.varint(kMaxShortSize);
      if (!size) return false;
      const auto content = reader.take(*size);
      if (!content) return false;
      if (is_known && known[number - 1] == FieldType::kVarints && !are_varints(*content)) return false;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace anubis::wire

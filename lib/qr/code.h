// QR codes (ISO/IEC 18004): text becomes a square of dark and light modules. PURE.
//
// The text may hold a private key, and so may every picture of it: all memory that is ours is wiped. That of
// libqrencode and of zlib is not, but for the modules; whoever makes such codes ends soon, and writes no core.
#pragma once

#include <cstddef>
#include <string_view>

#include "lib/base/result.h"
#include "lib/base/wiped_bytes.h"

namespace anubis::qr {

// Of the largest symbol, of version 40, at the lowest level of error correction.
constexpr std::size_t kMaxBytes = 2953;

// Light modules on each side, without which a scanner does not find it (section 6.3.8).
constexpr std::size_t kQuietZone = 4;

// How much of it may be unreadable.
enum class Level {
  kLow,       // 7 %
  kMedium,    // 15 %
  kQuartile,  // 25 %
  kHigh,      // 30 %
};

// Move-only: it is as secret as its text.
class Code {
 public:
  // The smallest symbol that holds the text, with the highest level of error correction that does not make it larger.
  // kFull: it is longer than kMaxBytes. kInvalid: it is empty.
  static base::Result<Code> create(std::string_view text);

  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  Code(Code&&) noexcept = default;
  Code& operator=(Code&&) noexcept = default;
  ~Code() = default;

  // Modules on each side, without the quiet zone: 21 to 177.
  [[nodiscard]] std::size_t size() const { return size_; }
  // And with it.
  [[nodiscard]] std::size_t full_size() const { return size_ + 2 * kQuietZone; }
  [[nodiscard]] Level level() const { return level_; }
  // Counted from the quiet zone's upper left corner; everything outside of the symbol is light.
  [[nodiscard]] bool is_dark(std::size_t column, std::size_t row) const;

 private:
  Code(base::WipedBytes modules, std::size_t size, Level level)
      : modules_(std::move(modules)), size_(size), level_(level) {}

  base::WipedBytes modules_;  // row by row; 1 is dark
  std::size_t size_;
  Level level_;
};

}  // namespace anubis::qr

// Memory for secrets: move-only, wiped when it goes, compared in constant time, with no way to print it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <string.h>

namespace anubis::base {

template <std::size_t N>
class Secret {
 public:
  static constexpr std::size_t kSize = N;

  Secret() = default;  // all zero
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  [[nodiscard]] std::span<std::uint8_t, N> writable() { return bytes_; }
  [[nodiscard]] std::span<const std::uint8_t, N> view() const { return bytes_; }

  // The one way to have it twice, named so that it is found by a search.
  [[nodiscard]] Secret duplicate() const {
    Secret copy;
    copy.bytes_ = bytes_;
    return copy;
  }

  void wipe() noexcept { explicit_bzero(bytes_.data(), N); }

  [[nodiscard]] bool equals(const Secret& other) const {
    std::uint8_t difference = 0;
    for (std::size_t i = 0; i < N; ++i)
      difference = static_cast<std::uint8_t>(difference | (bytes_[i] ^ other.bytes_[i]));
    return difference == 0;
  }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

}  // namespace anubis::base

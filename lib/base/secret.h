// A secret: move-only, in memory that is locked and kept out of core dumps, wiped when it goes, compared in constant
// time, with no way to print it.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <string.h>

#include "lib/base/secret_memory.h"

namespace anubis::base {

// One that was moved from holds nothing: it may be assigned to, or go.
template <std::size_t N>
class Secret {
  static_assert(N > 0 && N <= secret_memory::kMaxSize);

 public:
  static constexpr std::size_t kSize = N;

  Secret() : bytes_(secret_memory::allocate(N)) {}  // all zero
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      release();
      bytes_ = std::exchange(other.bytes_, nullptr);
    }
    return *this;
  }
  ~Secret() { release(); }

  [[nodiscard]] std::span<std::uint8_t, N> writable() {
    assert(bytes_ != nullptr);
    return std::span<std::uint8_t, N>(bytes_, N);
  }
  [[nodiscard]] std::span<const std::uint8_t, N> view() const {
    assert(bytes_ != nullptr);
    return std::span<const std::uint8_t, N>(bytes_, N);
  }

  // The one way to have it twice, named so that it is found by a search.
  [[nodiscard]] Secret duplicate() const {
    Secret copy;
    std::ranges::copy(view(), copy.bytes_);
    return copy;
  }

  void wipe() noexcept { explicit_bzero(writable().data(), N); }

  [[nodiscard]] bool equals(const Secret& other) const {
    const auto ours = view();
    const auto theirs = other.view();
    std::uint8_t difference = 0;
    for (std::size_t i = 0; i < N; ++i) difference = static_cast<std::uint8_t>(difference | (ours[i] ^ theirs[i]));
    return difference == 0;
  }

 private:
  void release() noexcept {
    if (bytes_ != nullptr) secret_memory::release(bytes_, N);
  }

  std::uint8_t* bytes_;
};

}  // namespace anubis::base

// Randomness is passed in, so that tests can repeat it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace anubis::base {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  template <std::size_t N>
  [[nodiscard]] std::array<std::uint8_t, N> bytes() {
    std::array<std::uint8_t, N> out;
    fill(out);
    return out;
  }

  [[nodiscard]] std::uint64_t number();

  // Uniform enough for jitter (not for keys): 0 ≤ result < bound; bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return number() % bound; }
};

// getrandom(2). A system without randomness cannot be trusted with keys: aborts rather than fails.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace anubis::base

// What the fuzz targets share. A target takes any bytes, gives them to the code as the world might, and aborts when
// something is so that must not be so. It keeps nothing from one input to the next.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

// Each stands in targets/NAME.cc and is a program fuzz_NAME in the preset `fuzz`.
#define ANUBIS_FUZZ_TARGETS(X) \
  X(card)                      \
  X(config)                    \
  X(control)                   \
  X(datagram)                  \
  X(gatekeepers)               \
  X(netd_channel)              \
  X(netlink)                   \
  X(packet)                    \
  X(reply)                     \
  X(request)                   \
  X(rtnetlink)                 \
  X(session_store)             \
  X(texts)                     \
  X(token)                     \
  X(transaction)               \
  X(uapi)                      \
  X(wg_quick)

namespace anubis::fuzz {

using Bytes = std::span<const std::uint8_t>;

#define ANUBIS_FUZZ_DECLARE(name) void name(Bytes input);
ANUBIS_FUZZ_TARGETS(ANUBIS_FUZZ_DECLARE)
#undef ANUBIS_FUZZ_DECLARE

// The oracle: `what` must hold.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "this must hold, and does not: %s\n", what);
  std::abort();
}

[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Takes an input apart, from its front. What is not there is zero.
class Reader {
 public:
  explicit Reader(Bytes rest) : rest_(rest) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  std::uint8_t byte() {
    const Bytes one = bytes(1);
    return one.empty() ? std::uint8_t{0} : one[0];
  }
  std::uint16_t number() {
    const std::uint8_t high = byte();
    return static_cast<std::uint16_t>(high << 8 | byte());
  }
  // As many as there are, at most.
  Bytes bytes(std::size_t size) {
    const Bytes taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  // With its length in front, 2 bytes.
  Bytes block() { return bytes(number()); }
  Bytes rest() { return bytes(rest_.size()); }

 private:
  Bytes rest_;
};

}  // namespace anubis::fuzz

// The largest packet that arrives, found by trying. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace anubis::cli {

struct SizeTried {
  bool answered = false;
  std::optional<std::uint32_t> told;  // the MTU that a router or our own kernel told instead of an answer
};

// KNOWN_GOOD < MOST; sizes are those of whole IP packets. Tries MOST first, then what is told, else halves: at most
// 17 sizes for any MTU.
[[nodiscard]] std::uint32_t find_path_mtu(std::uint32_t known_good, std::uint32_t most,
                                          const std::function<SizeTried(std::uint32_t size)>& try_size);

}  // namespace anubis::cli

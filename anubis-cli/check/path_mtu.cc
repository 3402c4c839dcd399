#include "anubis-cli/check/path_mtu.h"

#include <algorithm>

namespace anubis::cli {

std::uint32_t find_path_mtu(std::uint32_t known_good, std::uint32_t most,
                            const std::function<SizeTried(std::uint32_t size)>& try_size) {
  std::uint32_t good = known_good;
  std::uint32_t bad = most + 1;
  std::uint32_t next = most;
  while (bad - good > 1) {
    const SizeTried tried = try_size(next);
    if (tried.answered) {
      good = next;
    } else {
      bad = next;
    }
    // What is told is the most that passes there: nothing above it need be tried, though less may pass further on.
    const bool is_news = tried.told && *tried.told > good && *tried.told < bad;
    if (is_news) bad = *tried.told + 1;
    next = is_news ? *tried.told : good + (bad - good) / 2;
  }
  return good;
}

}  // namespace anubis::cli

#include "lib/wire/suites.h"

#include <algorithm>

namespace anubis::wire {

std::vector<crypto::Suite> known_of(std::span<const std::uint64_t> numbers) {
  std::vector<crypto::Suite> suites;
  for (const std::uint64_t number : numbers) {
    const auto suite = crypto::find_suite(number);
    if (suite && std::ranges::find(suites, *suite) == suites.end()) suites.push_back(*suite);
  }
  return suites;
}

}  // namespace anubis::wire

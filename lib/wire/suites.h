// Lists of suites, in requests and in replies.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/crypto/suites.h"

namespace anubis::wire {

// Those of the numbers that this program knows, each once.
[[nodiscard]] std::vector<crypto::Suite> known_of(std::span<const std::uint64_t> numbers);

}  // namespace anubis::wire

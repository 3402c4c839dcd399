// A short digest that shows whether a text arrived as it left. It protects from accidents: who changes the text on
// purpose can compute another.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace anubis::crypto {

using Digest = std::array<std::uint8_t, 16>;

// BLAKE2b-128.
[[nodiscard]] Digest digest(std::span<const std::uint8_t> bytes);

}  // namespace anubis::crypto

// How far apart two words are, for "did you mean …?".
#pragma once

#include <cstddef>
#include <string_view>

namespace anubis::base {

// How many characters must be put in, left out or replaced (Levenshtein). Time: the product of the lengths.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The greatest distance at which a word may still be a slip for the one that was typed.
[[nodiscard]] constexpr std::size_t greatest_slip(std::string_view typed) { return typed.size() / 3; }

}  // namespace anubis::base

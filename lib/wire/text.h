// Sentences for people that travel in messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace anubis::wire {

// The text as UTF-8 that is safe on a terminal, cut at a character's border to at most max_size bytes: each byte that
// is not part of valid UTF-8 and each control character (C0, DEL, C1) becomes a question mark. Done where a text is
// sent and again where it is received: a peer is authenticated, not trusted.
[[nodiscard]] std::string printable(std::string_view text, std::size_t max_size);

}  // namespace anubis::wire

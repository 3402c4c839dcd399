// Which characters may be shown on a terminal.
#pragma once

#include <cstddef>
#include <string_view>

namespace anubis::base {

// The length in bytes of the printable character that text begins with; 0 when it begins with something else: a control
// character (C0, DEL, C1), what is not UTF-8, or nothing.
[[nodiscard]] std::size_t printable_size(std::string_view text);

}  // namespace anubis::base

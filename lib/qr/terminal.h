// A QR code on a terminal: two modules in the height of a character, in black and white whatever the terminal's own
// colours are. PURE.
#pragma once

#include <cstddef>

#include "lib/base/secret_text.h"
#include "lib/qr/code.h"

namespace anubis::qr {

struct TerminalSize {
  std::size_t columns = 0;
  std::size_t rows = 0;
};
[[nodiscard]] TerminalSize terminal_size(const Code& code);

// As many lines, each with a line end; UTF-8 with escape sequences, and the terminal's own colours again at the end of
// each line.
[[nodiscard]] base::SecretText to_terminal(const Code& code);

}  // namespace anubis::qr

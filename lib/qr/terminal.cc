#include "lib/qr/terminal.h"

#include <optional>
#include <string_view>

namespace anubis::qr {
namespace {

// Of the 256 colours those two that no theme gives another shade, unlike "black" and "white" of the first 16.
constexpr std::string_view kForegroundBlack = "\x1b[38;5;16m";
constexpr std::string_view kForegroundWhite = "\x1b[38;5;231m";
constexpr std::string_view kBackgroundBlack = "\x1b[48;5;16m";
constexpr std::string_view kBackgroundWhite = "\x1b[48;5;231m";
constexpr std::string_view kOwnColours = "\x1b[0m";
constexpr std::string_view kUpperHalf = "\u2580";

}  // namespace

TerminalSize terminal_size(const Code& code) { return {code.full_size(), (code.full_size() + 1) / 2}; }

// Where both halves are equal a space shows the background, which has no gap to the next line in any font.
base::SecretText to_terminal(const Code& code) {
  base::SecretText text;
  const auto [columns, rows] = terminal_size(code);
  for (std::size_t row = 0; row < rows; ++row) {
    std::optional<bool> foreground;  // true: black; none: the terminal's own
    std::optional<bool> background;
    for (std::size_t column = 0; column < columns; ++column) {
      const bool upper = code.is_dark(column, 2 * row);
      const bool lower = code.is_dark(column, 2 * row + 1);
      if (background != lower) text.append(lower ? kBackgroundBlack : kBackgroundWhite);
      background = lower;
      if (upper == lower) {
        text.append(" ");
        continue;
      }
      if (foreground != upper) text.append(upper ? kForegroundBlack : kForegroundWhite);
      foreground = upper;
      text.append(kUpperHalf);
    }
    text.append(kOwnColours);
    text.append("\n");
  }
  return text;
}

}  // namespace anubis::qr

#include "anubis-cli/qr_screen.h"

#include <chrono>

#include <fmt/format.h>
#include <unistd.h>

#include "anubis-cli/screen.h"
#include "lib/qr/terminal.h"

namespace anubis::cli {
namespace {

constexpr std::size_t kCaptionRows = 1;

std::optional<std::string> why_too_small(const qr::Code& code) {
  const auto needed = qr::terminal_size(code);
  const auto there = Screen::size();
  const std::size_t rows = needed.rows + kCaptionRows;
  if (there.columns >= needed.columns && there.rows >= rows) return std::nullopt;
  return fmt::format(
      "the QR code needs {} columns and {} rows, and this terminal has {} and {}: enlarge its window or choose a "
      "smaller font (Ctrl -)",
      needed.columns, rows, there.columns, there.rows);
}

}  // namespace

std::optional<std::string> why_not_on_terminal(const qr::Code& code, std::string_view instead) {
  if (isatty(STDOUT_FILENO) != 1) {
    return fmt::format("standard output is no terminal, and the QR code holds a secret: {}", instead);
  }
  const auto obstacle = why_too_small(code);
  if (!obstacle) return std::nullopt;
  return fmt::format("{}, or {}", *obstacle, instead);
}

base::Result<int> show_on_terminal(const qr::Code& code, const std::string& caption) {
  // Nothing happens by itself.
  constexpr std::chrono::hours kLong{24};
  auto screen = Screen::open();
  if (!screen) return base::fail(screen.error());
  auto text = qr::to_terminal(code);
  text.append(caption);
  for (;;) {
    const auto obstacle = why_too_small(code);
    screen->show_secret(obstacle ? *obstacle : text.view());
    switch (screen->wait(kLong)) {
      case Screen::Event::kTick:
      case Screen::Event::kResized:
        break;
      case Screen::Event::kQuit:
      case Screen::Event::kSignal:
        return screen->signal();
    }
  }
}

}  // namespace anubis::cli

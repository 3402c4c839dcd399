// Log lines for the operator, on standard error. Each has a stable name (docs/messages.md explains them): scripts match
// on the name, never on the text. Nothing secret is ever passed in. Whatever is not printable is written as \xNN, and
// what repeats itself too often is counted instead (log_limit.h).
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace anubis::base::log {

enum class Level { kDebug, kInfo, kWarning, kError };

void set_level(Level level);
void write(Level level, std::string_view name, std::string_view text);

template <class... Args>
void debug(std::string_view name, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kDebug, name, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(std::string_view name, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kInfo, name, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(std::string_view name, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarning, name, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(std::string_view name, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, name, fmt::format(format, std::forward<Args>(args)...));
}

// Text that came from outside, fit for a terminal: control and non-ASCII bytes as \xNN, cut at max_size.
[[nodiscard]] std::string escaped(std::string_view text, std::size_t max_size = 256);

}  // namespace anubis::base::log

// Log lines for the operator, on standard error, or in the journal where systemd started us. Each has a stable name
// (docs/messages.md explains them): scripts match on the name, never on the text. Nothing secret is ever passed in.
// Whatever is not printable is written as \xNN, and what repeats itself too often is counted instead (log_limit.h).
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "lib/base/journal.h"

namespace anubis::base::log {

enum class Level { kDebug, kInfo, kWarning, kError };

// What a line is about: its name, and the peer where there is one, whom the text names, too. The peer is for the
// journal's field ANUBIS_PEER.
struct Subject {
  Subject(const char* of_name) : name(of_name) {}  // NOLINT(google-explicit-constructor): most names stand alone
  Subject(std::string_view of_name, std::string_view of_peer) : name(of_name), peer(of_peer) {}

  std::string_view name;
  std::string_view peer;
};

void set_level(Level level);
// From now on the lines go to the journal as entries with fields (docs/messages.md), if standard error leads there; the
// program's name becomes SYSLOG_IDENTIFIER. What the journal does not take goes to standard error all the same. Before
// the sandbox, and before there are threads.
void use_journal(std::string_view program, const char* socket_path = Journal::kSocket);
void write(Level level, Subject subject, std::string_view text);

template <class... Args>
void debug(Subject subject, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kDebug, subject, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(Subject subject, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kInfo, subject, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(Subject subject, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarning, subject, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(Subject subject, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, subject, fmt::format(format, std::forward<Args>(args)...));
}

// Text that came from outside, fit for a terminal: control and non-ASCII bytes as \xNN, cut at max_size.
[[nodiscard]] std::string escaped(std::string_view text, std::size_t max_size = 256);

}  // namespace anubis::base::log

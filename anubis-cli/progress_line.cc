#include "anubis-cli/progress_line.h"

#include <cstdio>

#include <unistd.h>

namespace anubis::cli {

ProgressLine::ProgressLine() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressLine::show(const std::string& text) {
  if (!is_terminal_) return;
  const std::string line = "\r\x1b[K" + text;
  std::fputs(line.c_str(), stderr);
  is_shown_ = true;
}

void ProgressLine::clear() {
  if (is_shown_) std::fputs("\r\x1b[K", stderr);
  is_shown_ = false;
}

}  // namespace anubis::cli

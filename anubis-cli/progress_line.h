// One line of a terminal, on standard error, that is written again and again; nothing where there is no terminal.
#pragma once

#include <string>

namespace anubis::cli {

class ProgressLine {
 public:
  ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { clear(); }

  // TEXT is printable.
  void show(const std::string& text);
  void clear();

 private:
  bool is_terminal_;
  bool is_shown_ = false;
};

}  // namespace anubis::cli

// Runs the real `anubis` and catches what it says.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "lib/base/fd.h"

namespace anubis::cli {

using Arguments = std::vector<std::string>;

struct Ended {
  int exit_status = -1;  // 128 + signal when a signal ended it, as a shell says
  std::string out;
  std::string err;
};

struct Surroundings {
  std::vector<std::string> environment;        // NAME=value; nothing else is in it
  std::optional<unsigned> user_id;             // run as this user and group, without further groups; needs root
  std::optional<std::string> standard_output;  // a file to write to instead of catching it
  std::function<void(pid_t)> meanwhile;        // called once it runs
};

// Runs `anubis ARGUMENTS` to its end, at most 20 s (then it is killed and the test fails by its exit status).
[[nodiscard]] Ended run_anubis(const Arguments& arguments, const Surroundings& surroundings = {});

// `anubis ARGUMENTS` on a terminal of its own, 100 columns by 20 rows.
class OnTerminal {
 public:
  explicit OnTerminal(const Arguments& arguments, const std::vector<std::string>& environment = {"TERM=xterm"});
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;
  ~OnTerminal();

  // Whether TEXT appears, within 10 s, behind what was awaited before.
  [[nodiscard]] bool shows(const std::string& text);
  void type(const std::string& keys);
  void resize(unsigned short columns, unsigned short rows);
  // Whether keys are echoed and lines edited, as a shell leaves a terminal.
  [[nodiscard]] bool is_cooked() const;
  // The exit status, when it has ended within 10 s; else -1. Everything that it wrote is in output() then.
  [[nodiscard]] int end();
  [[nodiscard]] const std::string& output() const { return output_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  bool read_some(std::chrono::milliseconds timeout);

  base::Fd terminal_;
  pid_t pid_ = -1;
  std::string output_;
  std::size_t seen_ = 0;  // what stands before it has been awaited
};

}  // namespace anubis::cli

#include <cstdio>
#include <string>

#include <unistd.h>

#include "anubis-cli/commands.h"
#include "anubis-cli/connection.h"
#include "anubis-cli/output.h"
#include "anubis-cli/text.h"

namespace anubis::cli {
namespace {

// "[3/300] jacinth" on one line of a terminal that is written again and again; nothing elsewhere.
class ProgressLine {
 public:
  void show(const control::Progress& progress) {
    if (!is_terminal_) return;
    const std::string line = "\r\x1b[K[" + std::to_string(progress.done()) + "/" + std::to_string(progress.total()) +
                             "] " + printable(progress.name());
    std::fputs(line.c_str(), stderr);
    is_shown_ = true;
  }
  void clear() {
    if (is_shown_) std::fputs("\r\x1b[K", stderr);
    is_shown_ = false;
  }

 private:
  bool is_terminal_ = isatty(STDERR_FILENO) == 1;
  bool is_shown_ = false;
};

std::string success_of_all(std::uint32_t total) {
  if (total == 0) return "no peer was up";
  return total == 1 ? "1 peer is down" : std::to_string(total) + " peers are down";
}

}  // namespace

int down(const Context& context, const DownOptions& options) {
  control::Command command;
  auto& request = *command.mutable_down();
  request.set_name(options.name);
  request.set_all(options.all);
  request.set_timeout_ms(static_cast<std::uint32_t>(options.timeout.count()));

  ProgressLine line;
  std::uint32_t total = 0;
  const auto on_response = [&line, &total](const control::Response& response) {
    if (!response.has_progress()) return;
    const auto& progress = response.progress();
    total = progress.total();
    if (!progress.message().empty()) {
      line.clear();
      complain(progress.message());  // it begins with the name
    }
    line.show(progress);
  };
  const auto done = exchange(context.socket_path, command, options.timeout + kGrace, on_response);
  line.clear();
  if (!done) return report(done.error());
  const std::string took = " (" + format_took(done->took_us()) + ")";
  if (options.all) {
    print_line(success_of_all(total) + (total == 0 ? "" : took));
  } else {
    print_line(printable(options.name) + " is down" + (done->was_so_already() ? " already" : took));
  }
  if (!done->message().empty()) complain(done->message());
  return control::DONE;
}

}  // namespace anubis::cli

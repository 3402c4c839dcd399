#include "anubis-cli/progress.h"

#include <cstdio>
#include <string>

#include <unistd.h>

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

}  // namespace

tl::expected<ManyDone, Failure> exchange_with_progress(const Context& context, const control::Command& command,
                                                       std::chrono::milliseconds timeout) {
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
  auto done = exchange(context.socket_path, command, timeout + kGrace, on_response);
  line.clear();
  if (!done) return tl::unexpected(std::move(done.error()));
  return ManyDone{std::move(*done), total};
}

}  // namespace anubis::cli

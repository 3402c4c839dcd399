#include "anubis-cli/progress.h"

#include <string>

#include "anubis-cli/connection.h"
#include "anubis-cli/output.h"
#include "anubis-cli/progress_line.h"
#include "anubis-cli/text.h"

namespace anubis::cli {
namespace {

// "[3/300] jacinth"
std::string line_of(const control::Progress& progress) {
  return "[" + std::to_string(progress.done()) + "/" + std::to_string(progress.total()) + "] " +
         printable(progress.name());
}

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
    line.show(line_of(progress));
  };
  auto done = exchange(context.socket_path, command, timeout + kGrace, on_response);
  line.clear();
  if (!done) return tl::unexpected(std::move(done.error()));
  return ManyDone{std::move(*done), total};
}

}  // namespace anubis::cli

#include <string>

#include "anubis-cli/commands.h"
#include "anubis-cli/output.h"
#include "anubis-cli/progress.h"
#include "anubis-cli/text.h"

namespace anubis::cli {
namespace {

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

  const auto ended = exchange_with_progress(context, command, options.timeout);
  if (!ended) return report(ended.error());
  const auto& [done, total] = *ended;
  const std::string took = " (" + format_took(done.took_us()) + ")";
  if (options.all) {
    print_line(success_of_all(total) + (total == 0 ? "" : took));
  } else {
    print_line(printable(options.name) + " is down" + (done.was_so_already() ? " already" : took));
  }
  if (!done.message().empty()) complain(done.message());
  return control::DONE;
}

}  // namespace anubis::cli

#include <string>

#include "anubis-cli/commands.h"
#include "anubis-cli/output.h"
#include "anubis-cli/progress.h"
#include "anubis-cli/text.h"

namespace anubis::cli {

int drain(const Context& context, const DrainOptions& options) {
  control::Command command;
  auto& request = *command.mutable_drain();
  request.set_to(options.to);
  request.set_timeout_ms(static_cast<std::uint32_t>(options.timeout.count()));

  const auto ended = exchange_with_progress(context, command, options.timeout);
  if (!ended) return report(ended.error());
  const auto& [done, total] = *ended;
  if (total == 0) {
    print_line("no peer was up");
  } else {
    print_line((total == 1 ? "1 peer was" : std::to_string(total) + " peers were") + " sent to " +
               printable(options.to) + " (" + format_took(done.took_us()) + ")");
  }
  if (!done.message().empty()) complain(done.message());
  return control::DONE;
}

}  // namespace anubis::cli

#include <string>

#include "anubis-cli/commands.h"
#include "anubis-cli/connection.h"
#include "anubis-cli/output.h"
#include "anubis-cli/text.h"

namespace anubis::cli {

int switch_to(const Context& context, const SwitchOptions& options) {
  control::Command command;
  auto& request = *command.mutable_switch_to();
  request.set_name(options.name);
  request.set_timeout_ms(static_cast<std::uint32_t>(options.timeout.count()));

  const auto done = exchange(context.socket_path, command, options.timeout + kGrace, [](const control::Response&) {});
  if (!done) return report(done.error());
  if (done->was_so_already()) {
    print_line(printable(options.name) + " is up already");
  } else {
    print_line("switched to " + printable(options.name) + " (" + format_took(done->took_us()) + ")");
  }
  if (!done->message().empty()) complain(done->message());
  return control::DONE;
}

}  // namespace anubis::cli

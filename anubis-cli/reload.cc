#include "anubis-cli/commands.h"
#include "anubis-cli/connection.h"
#include "anubis-cli/output.h"
#include "anubis-cli/text.h"

namespace anubis::cli {

int reload(const Context& context, const ReloadOptions&) {
  control::Command command;
  command.mutable_reload();
  const auto done = exchange(context.socket_path, command, kReloadPatience, [](const control::Response&) {});
  if (!done) return report(done.error());
  print_line(done->message().empty() ? "configuration reloaded" : printable_lines(done->message()));
  return control::DONE;
}

}  // namespace anubis::cli

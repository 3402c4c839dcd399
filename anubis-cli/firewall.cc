#include <optional>

#include "anubis-cli/commands.h"
#include "anubis-cli/connection.h"
#include "anubis-cli/json.h"
#include "anubis-cli/output.h"
#include "anubis-cli/status_text.h"
#include "anubis-cli/text.h"

namespace anubis::cli {
namespace {

int show(const Context& context, bool json) {
  control::Command command;
  command.mutable_firewall()->set_action(control::Firewall::SHOW);
  control::FirewallStatus status;
  const auto done = exchange(context.socket_path, command, kPatience, [&status](const control::Response& response) {
    if (response.has_firewall()) status = response.firewall();
  });
  std::optional<Failure> failure;
  if (!done) failure = done.error();
  if (json) print_line(firewall_json(status, failure));
  if (failure) return report(*failure);
  if (json) return control::DONE;
  for (const auto& line : firewall_lines(status)) print_line(line);
  return control::DONE;
}

}  // namespace

int firewall(const Context& context, const FirewallOptions& options) {
  control::Command command;
  switch (options.action) {
    case FirewallAction::kShow:
      return show(context, options.json);
    case FirewallAction::kApply:
      command.mutable_firewall()->set_action(control::Firewall::APPLY);
      break;
    case FirewallAction::kRemove:
      command.mutable_firewall()->set_action(control::Firewall::REMOVE);
      break;
  }
  const auto done = exchange(context.socket_path, command, kPatience, [](const control::Response&) {});
  if (!done) return report(done.error());
  print_line(printable(done->message()));
  return control::DONE;
}

}  // namespace anubis::cli

#include <optional>
#include <vector>

#include "anubis-cli/commands.h"
#include "anubis-cli/connection.h"
#include "anubis-cli/hosts_text.h"
#include "anubis-cli/json.h"
#include "anubis-cli/output.h"

namespace anubis::cli {

int hosts(const Context& context, const HostsOptions& options) {
  control::Command command;
  command.mutable_hosts();
  std::vector<control::NamedHost> list;
  const auto done = exchange(context.socket_path, command, kPatience, [&list](const control::Response& response) {
    if (response.has_named_host()) list.push_back(response.named_host());
  });
  std::optional<Failure> failure;
  if (!done) failure = done.error();
  if (options.json) print_line(hosts_json(list, failure));
  if (failure) return report(*failure);
  if (options.json) return control::DONE;
  for (const auto& line : hosts_lines(list)) print_line(line);
  return control::DONE;
}

}  // namespace anubis::cli

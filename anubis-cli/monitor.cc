#include "anubis-cli/commands.h"
#include "anubis-cli/connection.h"
#include "anubis-cli/event_text.h"
#include "anubis-cli/json.h"
#include "anubis-cli/output.h"

namespace anubis::cli {

int monitor(const Context& context, const MonitorOptions& options) {
  control::Command command;
  command.mutable_monitor();
  bool is_writable = true;
  // Events may be hours apart: no patience, but each line leaves at once.
  const auto print_event = [&options](const control::Event& event) {
    print_line(options.json ? event_json(event) : event_text(event));
    return flush_output();
  };
  auto connection = Connection::open(context.socket_path, command);
  Failure end = connection ? Failure{} : connection.error();
  while (connection && is_writable) {
    const auto response = connection->receive(std::nullopt);
    if (!response) {
      end = response.error();
      break;
    }
    if (response->has_event()) is_writable = print_event(response->event());
    if (response->has_done()) {
      end = failure_of(response->done());
      break;
    }
  }
  if (!is_writable) return control::FAILED;
  if (options.json) print_line(monitor_end_json(end));
  return report(end);
}

}  // namespace anubis::cli

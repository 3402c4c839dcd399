#include <string>

#include "anubis-cli/commands.h"
#include "anubis-cli/connection.h"
#include "anubis-cli/output.h"
#include "anubis-cli/text.h"
#include "lib/base/duration.h"

namespace anubis::cli {
namespace {

// "jacinth is up (12 ms, lease 2 h)", "jacinth is up already (lease 59 min)".
std::string success(const std::string& name, const control::Done& done) {
  std::string lease;
  if (done.has_lease_seconds_left()) {
    lease = "lease " + base::format_duration(std::chrono::seconds(done.lease_seconds_left()));
  }
  const std::string up = printable(name) + " is up";
  if (done.was_so_already()) return up + " already" + (lease.empty() ? "" : " (" + lease + ")");
  return up + " (" + format_took(done.took_us()) + (lease.empty() ? "" : ", " + lease) + ")";
}

}  // namespace

int up(const Context& context, const UpOptions& options) {
  control::Command command;
  auto& request = *command.mutable_up();
  request.set_name(options.name);
  if (options.lease_seconds) request.set_lease_seconds(*options.lease_seconds);
  if (options.wanted_for_seconds) request.set_wanted_for_seconds(*options.wanted_for_seconds);
  request.set_persist(options.persist);
  request.set_timeout_ms(static_cast<std::uint32_t>(options.timeout.count()));

  const auto done = exchange(context.socket_path, command, options.timeout + kGrace, [](const control::Response&) {});
  if (!done) return report(done.error());
  print_line(success(options.name, *done));
  if (!done->message().empty()) complain(done->message());
  return control::DONE;
}

}  // namespace anubis::cli

#include "anubis-cli/commands.h"
#include "anubis-cli/output.h"
#include "anubis-cli/snapshot.h"
#include "anubis-cli/text.h"

namespace anubis::cli {

int is_up(const Context& context, const IsUpOptions& options) {
  auto snapshot = take_snapshot(context.socket_path, options.name, kPatience);
  if (!snapshot.failure && snapshot.peers.empty()) {
    snapshot.failure = Failure{control::NO_SUCH_PEER, "anubisd knows no peer " + options.name};
  }
  if (snapshot.failure) return options.verbose ? report(*snapshot.failure) : snapshot.failure->status;
  const auto& peer = snapshot.peers.front();
  if (options.verbose) print_line(printable(options.name) + " is " + printable(peer.state()));
  return peer.state() == "up" ? control::DONE : control::NOT_UP;
}

}  // namespace anubis::cli

#include "anubis-cli/snapshot.h"

#include <utility>

namespace anubis::cli {

Snapshot take_snapshot(const std::string& socket_path, const std::string& name, Patience patience) {
  control::Command command;
  command.mutable_status()->set_name(name);
  Snapshot snapshot;
  const auto done = exchange(socket_path, command, patience, [&snapshot](const control::Response& response) {
    if (response.has_host()) snapshot.host = response.host();
    if (response.has_peer()) snapshot.peers.push_back(response.peer());
  });
  if (!done) snapshot.failure = done.error();
  return snapshot;
}

}  // namespace anubis::cli

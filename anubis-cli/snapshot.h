// What the daemon says of this host and its peers at one moment.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "anubis-cli/connection.h"
#include "anubis-cli/failure.h"

namespace anubis::cli {

struct Snapshot {
  std::optional<control::HostStatus> host;
  std::vector<control::PeerStatus> peers;
  std::optional<Failure> failure;  // what stands above may be incomplete
};

// Asks for the peer NAME, or for all when it is empty.
[[nodiscard]] Snapshot take_snapshot(const std::string& socket_path, const std::string& name, Patience patience);

}  // namespace anubis::cli

// The hosts of the network as people name them: each has two names, NAME for its addresses on the LAN and NAME with
// kWireGuardSuffix for those through WireGuard. Who uses the one goes directly, who uses the other goes through the
// tunnel, and no configuration changes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/model/ip.h"

namespace anubis::model {

inline constexpr std::string_view kWireGuardSuffix = "wg";

struct Host {
  std::string name;
  std::vector<IpAddress> addresses;      // through WireGuard
  std::vector<IpAddress> lan_addresses;  // without
  bool operator==(const Host&) const = default;
};

// What the configuration says of hosts, but for the peers, who tell theirs themselves.
struct Hosts {
  Host own;
  std::vector<Host> others;  // that are no peers
  bool operator==(const Hosts&) const = default;
};

}  // namespace anubis::model

#include "lib/network/network.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace anubis::network {

bool is_uplink(const Link& link) {
  // Those that a laptop has without going anywhere: of containers, virtual machines and tunnels.
  static constexpr std::array<std::string_view, 18> kLocalKinds{
      "bridge", "dummy", "geneve", "gre", "gretap", "ifb",  "ip6gre", "ip6gretap", "ip6tnl",
      "ipip",   "sit",   "tun",    "vrf", "vti",    "vti6", "vxlan",  "wireguard", "xfrm"};
  return std::ranges::find(kLocalKinds, link.kind) == kLocalKinds.end();
}

base::Status all_in_place(std::span<const Failure> failures) {
  if (failures.empty()) return {};
  base::Error error = failures.front().error;
  if (failures.size() > 1) error.message += " (and " + std::to_string(failures.size() - 1) + " more failed)";
  return base::fail(std::move(error));
}

}  // namespace anubis::network

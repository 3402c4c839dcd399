// The ranges of a wg-quick file as a configuration takes them. Internal to lib/interop. PURE.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "lib/config/wg_quick.h"
#include "lib/model/ip.h"

namespace anubis::interop {

// Whether a peer has all addresses of the family as its allowed IPs: the default route, or the two halves of it, which
// people write to leave the system's own default route alone.
[[nodiscard]] bool covers_all(const config::WgQuickPeer& peer, model::Family family);

// ::/1 and 8000::/1 become ::/0, for no configuration takes the second, in which the side addresses lie. Returns the
// peers in which it was done. IPv4's halves may stay.
std::vector<std::size_t> join_halves(config::WgQuickFile& file);

// WireGuard gives an allowed IP that two peers have to the one that comes last. Takes it away from the others; returns
// who lost one to whom.
std::set<std::pair<std::size_t, std::size_t>> settle_equal(config::WgQuickFile& file);

// All other peers' ranges that are shorter and contain one of this peer's want nested = true, but for default routes.
[[nodiscard]] std::vector<bool> find_nested(const config::WgQuickFile& file);

// Nobody's but ours: a range for side addresses, the usual one if possible, in which nothing of the file lies. None:
// the file takes all of fc00::/7.
[[nodiscard]] std::optional<model::IpPrefix> side_prefix_beside(const config::WgQuickFile& file);

// The private ranges that a peer has as a whole, as with a default route: wg-quick's routes to them give way to longer
// ones of the host's own, and Anubis' table comes before those. Only of families in which the interface has an address:
// otherwise `direct` would let packets from this host's own private addresses out of the tunnel.
[[nodiscard]] std::vector<model::IpPrefix> direct_ranges(const config::WgQuickFile& file);

}  // namespace anubis::interop

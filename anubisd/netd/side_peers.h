// The side interface's peers: every authorised one, permanently, with exactly its side address as allowed IP; and the
// routes to them.
//
// One route for the side prefix leads to the side interface, however many peers there are: what is not a peer's
// address, WireGuard drops. Side addresses outside the prefix (those that are configured: IPv4) get a route each.
#pragma once

#include <optional>
#include <unordered_set>
#include <vector>

#include "anubisd/netd/managed_interface.h"
#include "anubisd/netd/netd.h"
#include "lib/model/directory.h"
#include "lib/network/network.h"

namespace anubis::netd {

class SidePeers {
 public:
  // All must outlive this.
  SidePeers(const config::Side& settings, const model::PeerDirectory& directory, network::Network& network,
            ManagedInterface& interface)
      : settings_(settings), directory_(directory), network_(network), interface_(interface) {}

  // Brings the device and the routes to what the directory says. Peers that stand there and match are not touched;
  // those in `changed` get their endpoint anew. On an interface that is not ours, peers that we never placed stay.
  base::Status reconcile(const std::vector<PeerIndex>& changed);
  // Makes WireGuard send to the new endpoint at once.
  base::Status set_endpoint(PeerIndex index, const model::Endpoint& endpoint);
  base::Status flush();

  // Of all side addresses.
  [[nodiscard]] std::vector<model::IpPrefix> ranges() const;
  // Whose state that is: the peer with that key and, as its only allowed IP, its own side address.
  [[nodiscard]] std::optional<PeerIndex> index_of(const wireguard::PeerState& state) const;

 private:
  base::Status reconcile_peers(const std::vector<PeerIndex>& changed);
  base::Status reconcile_routes();
  base::Status apply(std::vector<wireguard::PeerChange>& changes);
  base::Result<std::vector<network::Route>> present_routes();

  const config::Side& settings_;
  const model::PeerDirectory& directory_;
  network::Network& network_;
  ManagedInterface& interface_;
  // On an interface that is not ours: those to take away again.
  std::unordered_set<crypto::PublicKey, crypto::PublicKeyHash> placed_;
};

}  // namespace anubis::netd

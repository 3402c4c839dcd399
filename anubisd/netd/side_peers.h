// The side interface's peers: every authorised one, permanently, with exactly its side address as allowed IP; and the
// routes to them.
//
// One route for the side prefix leads to the side interface, however many peers there are: what is not a peer's
// address, WireGuard drops. Side addresses outside the prefix (those that are configured: IPv4) get a route each.
#pragma once

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "anubisd/netd/drift.h"
#include "anubisd/netd/managed_interface.h"
#include "anubisd/netd/netd.h"
#include "lib/model/directory.h"
#include "lib/network/network.h"

namespace anubis::netd {

class SidePeers {
 public:
  // All must outlive this.
  SidePeers(const config::Side& settings, const model::PeerDirectory& directory, network::Network& network,
            ManagedInterface& interface, DriftQueue& drift)
      : settings_(settings), directory_(directory), network_(network), interface_(interface), drift_(drift) {}

  // Brings the device and the routes to what the directory says. Peers that stand there and match are not touched, and
  // of others only what does not: where a peer is, WireGuard knows best. On an interface that is not ours, peers that
  // we never placed stay. fresh: the device is another one than at the last time.
  base::Status reconcile(bool fresh);
  // After a reload. Those that it changed get their endpoint anew.
  base::Status take_over(const model::DirectoryChanges& changes);
  // Makes WireGuard shake hands there at once. A session that it has with a device that was made anew meanwhile would
  // else swallow all for 15 s.
  base::Status set_endpoint(PeerIndex index, const model::Endpoint& endpoint);
  // All that we placed, and all others too if the interface is ours. Repeatable, until forget().
  base::Status flush();
  void forget();

  // Of all side addresses.
  [[nodiscard]] std::vector<model::IpPrefix> ranges() const;
  // Whose state that is: the peer with that key and, as its only allowed IP, its own side address.
  [[nodiscard]] std::optional<PeerIndex> index_of(const wireguard::PeerState& state) const;

 private:
  struct Survey;
  class Surveyor;

  base::Status reconcile_all(const std::vector<PeerIndex>& changed, bool is_drift);
  base::Status reconcile_peers(const std::vector<PeerIndex>& changed);
  void find_among_strangers(Survey& survey) const;
  void remember(PeerIndex index, const model::Endpoint& endpoint);
  void append_placement(PeerIndex index, const model::Peer& peer, std::vector<wireguard::PeerChange>& changes) const;
  base::Status reconcile_routes();
  void found(DriftKind kind, std::optional<PeerIndex> peer = {});
  base::Status apply(std::vector<wireguard::PeerChange>& changes);
  base::Result<std::vector<network::Route>> present_routes();

  const config::Side& settings_;
  const model::PeerDirectory& directory_;
  network::Network& network_;
  ManagedInterface& interface_;
  DriftQueue& drift_;
  // On an interface that is not ours: those to take away again.
  std::unordered_set<crypto::PublicKey, crypto::PublicKeyHash> placed_;
  // Where WireGuard was last seen to send, of the first so many: a peer that somebody removes, or whose device goes,
  // is asked there, as it may not notice for two minutes.
  std::unordered_map<PeerIndex, model::Endpoint> endpoints_;
  bool is_settled_ = false;   // the last time all was brought to what the directory says
  bool is_drift_ = false;     // what differs now was made so by somebody else
  std::vector<Drift> found_;  // and is told once it is put right
};

}  // namespace anubis::netd

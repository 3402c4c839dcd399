// The sessions: authorised peers on the production interface, and their routes. A session is a peer that stands there
// with the allowed IPs of our configuration.
//
// Install: conflicts are looked for, then the peer, then the routes. Remove: routes, then the peer. So no route ever
// leads to a peer that is not there.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "anubisd/netd/managed_interface.h"
#include "anubisd/netd/netd.h"
#include "anubisd/netd/peer_mirror.h"
#include "lib/model/directory.h"
#include "lib/network/network.h"

namespace anubis::netd {

class ProductionPeers {
 public:
  // All must outlive this.
  ProductionPeers(const config::Production& settings, const model::PeerDirectory& directory, network::Network& network,
                  ManagedInterface& interface)
      : settings_(settings), directory_(directory), network_(network), interface_(interface) {}

  // After the interface was brought up. Fresh: adopts the sessions that an earlier process left, and clears away what
  // it left half done. Always: puts back routes that have gone, removes those of sessions that have gone.
  base::Status reconcile(bool fresh);

  base::Result<Presence> install(const InstallRequest& request);
  base::Status remove(PeerIndex index);
  base::Status handshake_done(PeerIndex index);
  [[nodiscard]] std::vector<PeerIndex> installed() const;
  [[nodiscard]] bool has(PeerIndex index) const { return sessions_.contains(index); }

  // All sessions, and all other peers too if the interface is ours.
  base::Status flush();

 private:
  struct Session {
    crypto::ProductionPublicKey key;     // the directory may have forgotten the peer
    std::vector<network::Route> routes;  // that we put there
    bool borrowed_keepalive = false;     // is on only to start the handshake
  };
  // What install() is going to do to the device.
  struct Plan {
    std::vector<wireguard::PeerChange> changes;
    MirroredPeer after;
    bool borrowed_keepalive = false;
  };

  base::Status refresh();
  base::Status check_conflicts(const model::Peer& peer) const;
  [[nodiscard]] Plan plan(const InstallRequest& request, const model::Peer& peer,
                          const std::optional<MirroredPeer>& before) const;
  base::Status apply(std::span<const wireguard::PeerChange> changes);
  void restore(PeerIndex index, const crypto::ProductionPublicKey& key, const std::optional<MirroredPeer>& before);

  [[nodiscard]] std::vector<network::Route> routes_of(const model::Peer& peer) const;
  // Those of `wanted` that stand afterwards. On failure those that are not in `before` are gone again.
  base::Result<std::vector<network::Route>> add_routes(const std::vector<network::Route>& wanted,
                                                       const std::vector<network::Route>& before);
  // Keeps in `routes` those that could not be removed.
  base::Status remove_routes(std::vector<network::Route>& routes);
  base::Status check_endpoint(const model::Peer& peer, const std::optional<model::Endpoint>& endpoint) const;
  base::Result<std::vector<network::Route>> present_routes();

  base::Status adopt(const std::vector<network::Route>& present);
  void drop_vanished();
  base::Status settle_routes(const std::vector<network::Route>& present);

  const config::Production& settings_;
  const model::PeerDirectory& directory_;
  network::Network& network_;
  ManagedInterface& interface_;
  PeerMirror mirror_;
  bool mirror_is_stale_ = true;
  bool told_no_ipv6_ = false;
  std::map<PeerIndex, Session> sessions_;
  // Of the sessions, from install() or adoption until remove(): a device that is made anew has lost them.
  std::map<PeerIndex, std::shared_ptr<const crypto::WireGuardPresharedKey>> preshared_keys_;
};

}  // namespace anubis::netd

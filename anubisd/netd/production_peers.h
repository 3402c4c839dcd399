// The sessions: authorised peers on the production interface, and their routes. From install() or its adoption until
// remove(), a session is to stand there as it was installed, whatever others do: reconcile() puts it right by the least
// change (decision 14).
//
// Install: conflicts are looked for, then the peer, then the routes. Remove: routes, then the peer. So no route ever
// leads to a peer that is not there; but for a moment, when a peer is removed that is no longer authorised.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "anubisd/netd/drift.h"
#include "anubisd/netd/managed_interface.h"
#include "anubisd/netd/netd.h"
#include "anubisd/netd/peer_mirror.h"
#include "anubisd/netd/shares.h"
#include "lib/model/directory.h"
#include "lib/network/network.h"

namespace anubis::netd {

class ProductionPeers {
 public:
  // All must outlive this. group: of which this host is a server.
  ProductionPeers(const config::Production& settings, const std::string& group, const model::PeerDirectory& directory,
                  network::Network& network, ManagedInterface& interface, DriftQueue& drift)
      : settings_(settings),
        group_(group),
        directory_(directory),
        network_(network),
        interface_(interface),
        drift_(drift),
        shares_(directory) {}

  // After the interface was brought up. Fresh: adopts the sessions that an earlier process left, clears away what it
  // left half done, and installs ours again on a device that was made anew. Always: puts back what of sessions has gone
  // or was changed, and removes routes without a session.
  base::Status reconcile(bool fresh);
  // Where WireGuard was just seen to send to that peer.
  void note_endpoint(PeerIndex index, const std::optional<model::Endpoint>& endpoint);

  base::Result<Presence> install(const InstallRequest& request);
  base::Status remove(PeerIndex index);
  base::Status handshake_done(PeerIndex index);
  // As Netd::carry().
  base::Status carry(PeerIndex client, std::optional<PeerIndex> server);
  [[nodiscard]] std::vector<Carried> carried() const;
  [[nodiscard]] std::vector<PeerIndex> installed() const;
  // What may come from them all, clients that are with other servers included.
  [[nodiscard]] std::vector<model::IpPrefix> sources() const;
  [[nodiscard]] bool has(PeerIndex index) const { return sessions_.contains(index); }

  // All sessions, and all other peers too if the interface is ours. Repeatable, until forget(): after it, there are
  // none.
  base::Status flush();
  void forget();

 private:
  struct Session {
    crypto::ProductionPublicKey key;     // the directory may have forgotten the peer
    MirroredPeer wanted;                 // as it was installed; its endpoint is where WireGuard was last seen to send
    std::vector<network::Route> routes;  // that we put there, or another session did that shares them
    bool is_routed = false;              // installed with routes, though there may be none for it now
    bool borrowed_keepalive = false;     // one is on only to start the handshake
    bool doomed = false;                 // was to go and could not: the next reconcile() tries again
  };
  using Sessions = std::map<PeerIndex, Session>;
  // What install() is going to do to the device.
  struct Plan {
    std::vector<wireguard::PeerChange> changes;
    MirroredPeer after;
    bool borrowed_keepalive = false;
  };

  base::Status refresh();
  void note_last_endpoint(PeerIndex index, const Session& session);
  base::Status check_conflicts(PeerIndex index, const std::vector<model::IpPrefix>& allowed_ips,
                               const InstallRequest* request) const;
  [[nodiscard]] Plan plan(const InstallRequest& request, const model::Peer& peer,
                          const std::vector<model::IpPrefix>& allowed_ips,
                          const std::optional<MirroredPeer>& before) const;
  base::Result<Presence> install_entered(const InstallRequest& request, const model::Peer& peer);
  base::Status apply(std::span<const wireguard::PeerChange> changes);
  void restore(PeerIndex index, const crypto::ProductionPublicKey& key, const std::optional<MirroredPeer>& before);

  [[nodiscard]] std::vector<network::Route> routes_of(const std::vector<model::IpPrefix>& allowed_ips) const;
  // Those of `wanted` that stand afterwards. On failure those that are not in `before` are gone again.
  base::Result<std::vector<network::Route>> add_routes(const std::vector<network::Route>& wanted,
                                                       const std::vector<network::Route>& before);
  // Keeps in `routes` those that could not be removed.
  base::Status remove_routes(std::vector<network::Route>& routes);
  // Those of the sessions that share allowed IPs with this peer.
  [[nodiscard]] std::vector<network::Route> shared_routes(PeerIndex index, const std::vector<PeerIndex>& sharing) const;
  // As remove_routes(), but for those, which are no longer in `routes` either.
  base::Status drop_routes(PeerIndex index, const std::vector<PeerIndex>& sharing, std::vector<network::Route>& routes);
  // Brings the allowed IPs and routes of these sessions to what they are to have now.
  base::Status settle_shares(const std::vector<PeerIndex>& concerned);
  [[nodiscard]] std::vector<wireguard::PeerChange> hand_over(const std::vector<PeerIndex>& concerned);
  base::Status check_endpoint(const model::Peer& peer, const std::optional<model::Endpoint>& endpoint) const;
  base::Result<std::vector<network::Route>> present_routes();

  void infer_shares();
  void infer_carried(PeerIndex server, const std::vector<model::IpPrefix>& beyond_its_own);
  base::Status adopt(const std::vector<network::Route>& present);
  base::Status give_up_obstructed();
  void carry_over();
  base::Status heal(bool fresh);
  [[nodiscard]] base::Status check_creation(const Session& session) const;
  // What is to be done about one; the drift, too, when there is some. None of it: nothing.
  struct Cure {
    std::vector<wireguard::PeerChange> changes;
    std::vector<DriftKind> drift;
  };
  [[nodiscard]] Cure cure(Session& session) const;
  base::Status settle_routes(const std::vector<network::Route>& present, bool fresh);
  base::Status restore_routes(const std::vector<network::Route>& missing, bool is_drift);
  void note_strangers();

  const config::Production& settings_;
  const std::string& group_;
  const model::PeerDirectory& directory_;
  network::Network& network_;
  ManagedInterface& interface_;
  DriftQueue& drift_;
  Shares shares_;
  PeerMirror mirror_;
  bool mirror_is_stale_ = true;
  bool told_no_ipv6_ = false;
  Sessions sessions_;
  std::map<PeerIndex, model::Endpoint>
      last_endpoints_;  // of plain roamers that were up: nobody tells us where they are
  std::unordered_set<crypto::PublicKey, crypto::PublicKeyHash> strangers_;  // that stand there, and were told of
};

}  // namespace anubis::netd

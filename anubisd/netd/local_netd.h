// Netd in this process: needs CAP_NET_ADMIN here.
//
//   LocalNetd ─┬─ ManagedInterface, twice: link, device, addresses
//              ├─ ProductionPeers: sessions and their routes
//              ├─ SidePeers: all authorised peers and the routes to them
//              ├─ FirewallKeeper: what may pass the interfaces at all
//              └─ policy_rules: what keeps bearer packets and excluded ranges out of the tunnel
//
// What we make carries our route protocol number, or, for links, our alias: nothing else is ever removed, and a process
// that was killed has left nothing that the next one would not recognise.
#pragma once

#include <array>
#include <memory>

#include "anubisd/netd/devices.h"
#include "anubisd/netd/drift.h"
#include "anubisd/netd/firewall_keeper.h"
#include "anubisd/netd/managed_interface.h"
#include "anubisd/netd/netd.h"
#include "anubisd/netd/production_peers.h"
#include "anubisd/netd/side_peers.h"
#include "anubisd/netd/surroundings_watch.h"
#include "firewall/firewall.h"
#include "lib/base/fd.h"
#include "lib/config/config.h"
#include "lib/model/directory.h"
#include "lib/network/network.h"
#include "lib/network/watcher.h"

namespace anubis::netd {

class LocalNetd final : public Netd {
 public:
  // config, directory, network, devices and firewall must outlive it. The watcher need not tell what `network` itself
  // changes.
  static base::Result<std::unique_ptr<LocalNetd>> create(const config::Config& config,
                                                         const model::PeerDirectory& directory,
                                                         network::Network& network, Devices& devices,
                                                         firewall::Firewall& firewall,
                                                         std::unique_ptr<network::Watcher> watcher);

  base::Result<InterfaceReport> bring_up(Interface which) override;
  std::vector<Drift> take_drift() override;
  [[nodiscard]] int event_fd() const override { return events_.get(); }
  std::vector<Interface> interfaces_to_heal() override;
  base::Result<std::vector<PeerIndex>> installed_peers() override;
  base::Result<Presence> install(const InstallRequest& request) override;
  base::Status remove(PeerIndex peer) override;
  base::Status carry(PeerIndex client, std::optional<PeerIndex> server) override;
  base::Result<std::vector<Carried>> carried() override;
  base::Status handshake_done(PeerIndex peer) override;
  base::Result<std::vector<PeerReport>> report(Interface which) override;
  base::Result<std::optional<PeerReport>> report(Interface which, PeerIndex peer) override;
  base::Status set_side_endpoint(PeerIndex peer, const model::Endpoint& endpoint) override;
  base::Result<std::vector<model::Sighting>> look_around() override;
  [[nodiscard]] int surroundings_fd() const override { return surroundings_.fd(); }
  base::Status check_bearer_way(const model::IpAddress& destination) override;
  base::Status widen_receive_buffer(int datagram_socket) override;
  base::Result<FirewallReport> firewall_report() override { return firewall_.report(); }
  base::Result<std::string> firewall_rules() override { return firewall_.rules(); }
  base::Status apply_firewall() override;
  base::Status remove_firewall() override { return firewall_.remove(); }
  base::Status tear_down() override;

  // After a reload, when the directory holds the new set: the side interface gets, changes and loses peers; removed
  // peers also leave the production interface; the firewall follows.
  base::Status apply_changes(const model::DirectoryChanges& changes);

 private:
  LocalNetd(const config::Config& config, const model::PeerDirectory& directory, network::Network& network,
            Devices& devices, firewall::Firewall& firewall, std::unique_ptr<network::Watcher> watcher, base::Fd events,
            SurroundingsWatch surroundings);

  ManagedInterface& interface(Interface which);
  base::Status apply_routing_policy(DriftQueue* drift);
  base::Status settle_firewall();
  // To the peers that are up now.
  base::Status update_firewall();
  base::Status reconcile(Interface which, bool fresh);
  // Adds a descriptor that is to make event_fd() readable.
  base::Status watch(int fd);
  // The addresses that bearer packets went out from may have gone.
  void surroundings_changed();
  void forget_sources(ManagedInterface& managed);
  // Those links of ours that are there.
  [[nodiscard]] std::vector<std::uint32_t> own_links() const;
  [[nodiscard]] bool concerns(const network::Change& change, Interface which);
  [[nodiscard]] std::optional<PeerIndex> index_of(Interface which, const wireguard::PeerState& state) const;
  base::Status visit_reports(Interface which, const std::optional<PeerIndex>& only, std::vector<PeerReport>& reports);

  const config::Config& config_;
  const model::PeerDirectory& directory_;
  network::Network& network_;
  std::unique_ptr<network::Watcher> watcher_;  // null once it failed
  base::Fd events_;                            // epoll: the watcher, and the processes that serve our interfaces
  DriftQueue drift_;
  ManagedInterface production_;
  ManagedInterface side_;
  ProductionPeers production_peers_;
  SidePeers side_peers_;
  FirewallKeeper firewall_;
  SurroundingsWatch surroundings_;
  bool hears_firewall_ = false;
  // By Interface: the device is new, and no bring_up() has said so yet because something behind it failed.
  std::array<bool, 2> fresh_{};
  bool policy_stood_ = false;  // the rules were in place once, so that somebody took away what is missing
};

}  // namespace anubis::netd

// A privileged side that keeps book and does what the test says.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <sys/eventfd.h>

#include "anubisd/netd/netd.h"
#include "lib/base/fd.h"

namespace anubis::daemon {

class FakeNetd : public netd::Netd {
 public:
  base::Result<netd::InterfaceReport> bring_up(netd::Interface which) override {
    ++brought_up[which];
    if (bring_up_error)
      return base::fail(bring_up_fails > 0 && --bring_up_fails == 0 ? *std::exchange(bring_up_error, {})
                                                                    : *bring_up_error);
    const bool fresh = brought_up[which] == 1 || anew.erase(which) != 0;
    return netd::InterfaceReport{.name = which == netd::Interface::kSide ? "anubis0" : "wg0", .fresh = fresh};
  }
  std::vector<netd::Drift> take_drift() override {
    auto taken = std::exchange(drift, {});
    for (const netd::Interface which : lost)
      taken.push_back({.kind = netd::DriftKind::kLost, .interface = which, .peer = {}});
    return taken;
  }
  [[nodiscard]] int event_fd() const override { return events_.get(); }
  std::vector<netd::Interface> interfaces_to_heal() override {
    eventfd_t count = 0;
    (void)eventfd_read(events_.get(), &count);
    return std::exchange(to_heal_, {});
  }
  // Something happened to the interface.
  void disturb(netd::Interface which) {
    to_heal_.push_back(which);
    (void)eventfd_write(events_.get(), 1);
  }

  base::Result<std::vector<netd::PeerIndex>> installed_peers() override {
    return std::vector<netd::PeerIndex>(installed.begin(), installed.end());
  }
  base::Result<netd::Presence> install(const netd::InstallRequest& request) override {
    installs.push_back(request);
    if (when_installing) when_installing();
    if (install_error) return base::fail(*install_error);
    const bool is_new = installed.insert(request.peer).second;
    return is_new ? netd::Presence::kCreated : netd::Presence::kFound;
  }
  base::Status remove(netd::PeerIndex peer) override {
    removals.push_back(peer);
    installed.erase(peer);
    return {};
  }
  base::Status carry(netd::PeerIndex client, std::optional<netd::PeerIndex> server) override {
    if (server) {
      servers[client] = *server;
    } else {
      servers.erase(client);
    }
    return {};
  }
  base::Result<std::vector<netd::Carried>> carried() override {
    std::vector<netd::Carried> all;
    all.reserve(servers.size());
    for (const auto& [client, server] : servers) all.push_back({client, server});
    return all;
  }
  base::Status handshake_done(netd::PeerIndex peer) override {
    handshakes_done.push_back(peer);
    return {};
  }

  base::Result<std::vector<netd::PeerReport>> report(netd::Interface which) override {
    dump();
    std::vector<netd::PeerReport> all;
    for (const auto& [key, each] : reports) {
      if (key.first == which) all.push_back(each);
    }
    return all;
  }
  base::Result<std::optional<netd::PeerReport>> report(netd::Interface which, netd::PeerIndex peer) override {
    dump();
    const auto found = reports.find({which, peer});
    return found == reports.end() ? std::nullopt : std::optional(found->second);
  }

  base::Status set_side_endpoint(netd::PeerIndex peer, const model::Endpoint& endpoint) override {
    side_endpoints.emplace_back(peer, endpoint);
    return {};
  }
  base::Result<netd::FirewallReport> firewall_report() override { return firewall; }
  base::Result<std::string> firewall_rules() override { return std::string("table inet anubis"); }
  base::Status apply_firewall() override {
    firewall.state = netd::FirewallState::kInPlace;
    return {};
  }
  base::Status remove_firewall() override {
    firewall.state = firewall.is_configured ? netd::FirewallState::kRemoved : netd::FirewallState::kDisabled;
    return {};
  }
  base::Result<std::vector<model::Sighting>> look_around() override {
    eventfd_t count = 0;
    (void)eventfd_read(surroundings_.get(), &count);
    ++looks;
    if (look_error) return base::fail(*look_error);
    return sightings;
  }
  [[nodiscard]] int surroundings_fd() const override { return surroundings_.get(); }
  // The host is somewhere else now.
  void move_to(std::vector<model::Sighting> there) {
    sightings = std::move(there);
    (void)eventfd_write(surroundings_.get(), 1);
  }
  base::Status check_bearer_way(const model::IpAddress& destination) override {
    if (!unreachable.contains(destination)) return {};
    return base::fail(base::ErrorCode::kUnreachable, "no way");
  }
  base::Status widen_receive_buffer(int /*datagram_socket*/) override { return {}; }
  base::Status tear_down() override {
    torn_down = true;
    installed.clear();
    return {};
  }

  // Of the test.
  std::map<std::pair<netd::Interface, netd::PeerIndex>, netd::PeerReport> reports;
  std::set<model::IpAddress> unreachable;  // for what bears a tunnel
  std::optional<base::Error> install_error;
  std::function<void()> when_installing;
  std::optional<base::Error> bring_up_error;
  int bring_up_fails = 0;          // so often; zero: for good
  std::set<netd::Interface> anew;  // the next bring_up() finds another device
  std::vector<netd::Drift> drift;  // that the next bring_up() finds
  std::set<netd::Interface> lost;
  base::Duration dump_takes{0};
  std::vector<model::Sighting> sightings;
  std::optional<base::Error> look_error;
  netd::FirewallReport firewall{.state = netd::FirewallState::kInPlace, .is_configured = true, .closed_ports = {}};

  // Of what was asked.
  std::set<netd::PeerIndex> installed;
  std::vector<netd::InstallRequest> installs;
  std::vector<netd::PeerIndex> removals;
  std::map<netd::PeerIndex, netd::PeerIndex> servers;  // by client
  std::vector<netd::PeerIndex> handshakes_done;
  std::vector<std::pair<netd::PeerIndex, model::Endpoint>> side_endpoints;  // as they were set
  std::map<netd::Interface, int> brought_up;
  bool torn_down = false;
  int looks = 0;
  unsigned dumps = 0;

 private:
  void dump() {
    ++dumps;
    const base::Time end = base::BootClock::now() + dump_takes;
    while (base::BootClock::now() < end) {
    }
  }

  base::Fd events_{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  base::Fd surroundings_{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  std::vector<netd::Interface> to_heal_;
};

// A configuration that reads as the test says.
class FakePeerSource : public netd::PeerSource {
 public:
  base::Status enrol(netd::PeerIndex /*invitation*/, const netd::Newcomer& newcomer) override {
    enrolled.push_back(newcomer);
    return enrol_error ? base::Status(base::fail(*enrol_error)) : base::Status();
  }
  base::Status begin_reload() override {
    ++begun;
    if (begin_error) return base::fail(*begin_error);
    (void)eventfd_write(read_.get(), 1);
    return {};
  }
  [[nodiscard]] int reload_fd() const override { return read_.get(); }
  base::Result<netd::Reloaded> take_reload() override {
    eventfd_t count = 0;
    (void)eventfd_read(read_.get(), &count);
    if (std::exchange(not_yet, false)) {
      (void)eventfd_write(read_.get(), 1);
      return base::fail(base::ErrorCode::kBusy, "not yet");
    }
    return next;
  }

  // Of the test.
  base::Result<netd::Reloaded> next;
  std::optional<base::Error> begin_error;
  std::optional<base::Error> enrol_error;
  std::vector<netd::Newcomer> enrolled;
  bool not_yet = false;

  int begun = 0;

 private:
  base::Fd read_{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
};

}  // namespace anubis::daemon

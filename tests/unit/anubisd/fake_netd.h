// A privileged side that keeps book. What it is told to answer, it answers.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "anubisd/netd/netd.h"

namespace anubis::daemon {

class FakeNetd : public netd::Netd {
 public:
  base::Result<netd::InterfaceReport> bring_up(netd::Interface) override { return netd::InterfaceReport{}; }
  [[nodiscard]] int event_fd() const override { return -1; }
  std::vector<netd::Interface> interfaces_to_heal() override { return {}; }
  base::Result<std::vector<netd::PeerIndex>> installed_peers() override { return std::vector<netd::PeerIndex>{}; }
  base::Result<netd::Presence> install(const netd::InstallRequest&) override { return netd::Presence::kCreated; }
  base::Status remove(netd::PeerIndex) override { return {}; }
  base::Status handshake_done(netd::PeerIndex) override { return {}; }

  base::Result<std::vector<netd::PeerReport>> report(netd::Interface which) override {
    ++dumps;
    if (const auto pause = dump_takes.count(); pause > 0) busy_wait(dump_takes);
    std::vector<netd::PeerReport> all;
    for (const auto& [key, each] : reports) {
      if (key.first == which) all.push_back(each);
    }
    return all;
  }
  base::Result<std::optional<netd::PeerReport>> report(netd::Interface which, netd::PeerIndex peer) override {
    ++dumps;
    if (const auto pause = dump_takes.count(); pause > 0) busy_wait(dump_takes);
    const auto found = reports.find({which, peer});
    return found == reports.end() ? std::nullopt : std::optional(found->second);
  }

  base::Status set_side_endpoint(netd::PeerIndex peer, const model::Endpoint& endpoint) override {
    side_endpoints.emplace_back(peer, endpoint);
    return {};
  }
  base::Status apply_changes(const model::DirectoryChanges&) override { return {}; }
  base::Status tear_down() override { return {}; }

  std::map<std::pair<netd::Interface, netd::PeerIndex>, netd::PeerReport> reports;
  std::vector<std::pair<netd::PeerIndex, model::Endpoint>> side_endpoints;  // as they were set
  unsigned dumps = 0;
  base::Duration dump_takes{0};

 private:
  static void busy_wait(base::Duration time) {
    const base::Time end = base::BootClock::now() + time;
    while (base::BootClock::now() < end) {
    }
  }
};

}  // namespace anubis::daemon

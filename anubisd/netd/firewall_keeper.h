// Keeps the firewall as the configuration and the sessions want it: in place before the side interface is up, put back
// when others change it, and gone when it is to go.
#pragma once

#include <optional>
#include <vector>

#include "anubisd/netd/drift.h"
#include "anubisd/netd/netd.h"
#include "anubisd/netd/side_peers.h"
#include "firewall/firewall.h"
#include "lib/config/config.h"
#include "lib/model/directory.h"

namespace anubis::netd {

class FirewallKeeper {
 public:
  // All must outlive this.
  FirewallKeeper(const config::Config& config, const model::PeerDirectory& directory, const SidePeers& side_peers,
                 firewall::Firewall& firewall, DriftQueue& drift)
      : config_(config), directory_(directory), side_peers_(side_peers), firewall_(firewall), drift_(drift) {}

  // Repeatable. An error: the side interface must not come up.
  base::Status settle();
  // Whatever the configuration says now.
  base::Status reload();
  // These prefixes, and no others, may come from production peers.
  base::Status let_in(const std::vector<model::IpPrefix>& prefixes);

  // For the administrator: in place until remove() or the end, gone until apply() or the end.
  base::Status apply();
  base::Status remove();

  base::Result<FirewallReport> report();
  base::Result<std::string> rules() { return firewall_.list(); }

  base::Status tear_down();

  [[nodiscard]] int event_fd() const { return firewall_.event_fd(); }
  // Somebody changed what is ours.
  [[nodiscard]] bool was_changed();

 private:
  [[nodiscard]] bool is_wanted() const { return by_hand_.value_or(config_.firewall.enabled); }
  [[nodiscard]] firewall::Policy policy() const;
  void wish(bool stands);
  base::Status put_in_place();
  base::Status settle_table();
  // Looks at the tables of others, where those have changed.
  void look_at_others();

  const config::Config& config_;
  const model::PeerDirectory& directory_;
  const SidePeers& side_peers_;
  firewall::Firewall& firewall_;
  DriftQueue& drift_;
  std::optional<firewall::Policy> applied_;
  // None until the sessions are known: then what an earlier process left stays.
  std::optional<std::vector<model::IpPrefix>> let_in_;
  std::optional<bool> by_hand_;  // what the administrator said, where it is not what the configuration says
  bool others_changed_ = true;   // since they were looked at
  std::vector<firewall::ClosedPort> closed_ports_;
  bool was_cleared_ = false;  // what an earlier process left has been taken away, as nothing is wanted
};

}  // namespace anubis::netd

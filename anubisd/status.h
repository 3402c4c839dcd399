// What `anubis status` and `anubis peers` are told.
#pragma once

#include <optional>
#include <unordered_map>

#include <control.pb.h>

#include "anubisd/interfaces.h"
#include "anubisd/netd/netd.h"
#include "anubisd/netd/public_config.h"
#include "anubisd/roaming.h"
#include "anubisd/side_service.h"
#include "lib/gate/gatekeeper.h"
#include "lib/model/directory.h"
#include "lib/model/host.h"

namespace anubis::daemon {

class Status {
 public:
  // All must outlive it.
  Status(const netd::PublicConfig& config, const model::PeerDirectory& directory, const gate::Gatekeeper& gatekeeper,
         netd::Netd& netd, const Interfaces& interfaces, const Roaming& roaming)
      : config_(config),
        directory_(directory),
        gatekeeper_(gatekeeper),
        netd_(netd),
        interfaces_(interfaces),
        roaming_(roaming) {}

  [[nodiscard]] control::HostStatus host(const SideService::Counters& side_service) const;
  // The peer must be in the directory. Reports of WireGuard's may be half a second old, unless forget_reports() came
  // between.
  [[nodiscard]] control::PeerStatus peer(model::PeerIndex index);
  [[nodiscard]] static control::AuthorisedPeer authorised(const model::Peer& peer);
  [[nodiscard]] static control::FirewallStatus firewall(const netd::FirewallReport& report);
  // kind: as in NamedHost.
  [[nodiscard]] static control::NamedHost named(const model::Host& host, const char* kind);
  [[nodiscard]] static control::NamedHost named(const model::Peer& peer);

  // Something has changed that makes what WireGuard said last misleading.
  void forget_reports() { reports_.taken.reset(); }

 private:
  struct Reports {
    std::optional<base::Time> taken;
    std::unordered_map<model::PeerIndex, netd::PeerReport> production;
    std::unordered_map<model::PeerIndex, netd::PeerReport> side;
  };

  void refresh_reports();

  const netd::PublicConfig& config_;
  const model::PeerDirectory& directory_;
  const gate::Gatekeeper& gatekeeper_;
  netd::Netd& netd_;
  const Interfaces& interfaces_;
  const Roaming& roaming_;
  Reports reports_;
};

// A moment of CLOCK_BOOTTIME as Unix seconds, by what the wall clock says now.
[[nodiscard]] std::int64_t to_unix_seconds(base::Time time);

}  // namespace anubis::daemon

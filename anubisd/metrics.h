// This host in numbers, as Prometheus reads them (text exposition format 0.0.4). docs/metrics.md lists them.
#pragma once

#include <functional>
#include <string>

#include "anubisd/netd/netd.h"
#include "anubisd/netd/public_config.h"
#include "anubisd/side_service.h"
#include "anubisd/status.h"
#include "lib/gate/gatekeeper.h"
#include "lib/model/directory.h"

namespace anubis::daemon {

class Metrics {
 public:
  struct Subjects {
    const netd::PublicConfig& config;
    const model::PeerDirectory& directory;
    const gate::Gatekeeper& gatekeeper;
    netd::Netd& netd;
    Status& status;
    std::function<SideService::Counters()> side_counters;
  };
  // All must outlive it.
  explicit Metrics(Subjects subjects) : subjects_(std::move(subjects)) {}

  // As of now; WireGuard's numbers may be half a second old.
  [[nodiscard]] std::string text();

 private:
  Subjects subjects_;
};

}  // namespace anubis::daemon

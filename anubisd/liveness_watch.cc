#include "anubisd/liveness_watch.h"

#include <algorithm>
#include <chrono>

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kInterval = 5s;
// A look is a dump of the device: it takes a hundredth of the loop's time at most, however many peers there are.
constexpr int kShareOfTime = 100;

}  // namespace

void LivenessWatch::start() {
  if (!timer_.due() && gatekeeper_.sessions_up() > 0) timer_.after(kInterval, [this] { look(); });
}

void LivenessWatch::look() {
  if (gatekeeper_.sessions_up() == 0) return;
  const base::Time begin = base::BootClock::now();
  base::Duration interval = kInterval;
  // An error is not ours to tell: whatever is wrong with the interface shows elsewhere.
  if (const auto reports = netd_.report(netd::Interface::kProduction)) {
    for (const netd::PeerReport& report : *reports) {
      const gate::Observation seen{.handshake = report.latest_handshake.time_since_epoch().count(),
                                   .rx_bytes = report.rx_bytes,
                                   .tx_bytes = report.tx_bytes};
      interval = std::min(interval, gatekeeper_.observe(report.peer, seen, begin));
    }
    executor_.settle();
  }
  timer_.after(std::max(interval, (base::BootClock::now() - begin) * kShareOfTime), [this] { look(); });
}

}  // namespace anubis::daemon

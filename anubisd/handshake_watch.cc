#include "anubisd/handshake_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;

// A handshake takes a round trip: looked for often at first, then more and more rarely.
constexpr base::Duration kFirstInterval = 500us;
constexpr base::Duration kLongestInterval = 50ms;
// One look is a dump of the device. After the first ones, which make the usual up fast, they take a twentieth of the
// loop's time at most, however many peers there are.
constexpr unsigned kEagerPolls = 8;
constexpr int kShareOfTime = 20;

}  // namespace

void HandshakeWatch::start(model::PeerIndex peer, gate::Ticket ticket) {
  if (watched_.empty()) polls_ = 0;
  watched_[peer] = ticket;
  interval_ = kFirstInterval;
  if (!timer_.due() || polls_ < kEagerPolls) timer_.after(base::Duration{0}, [this] { poll(); });
}

void HandshakeWatch::stop(model::PeerIndex peer) {
  watched_.erase(peer);
  if (watched_.empty()) timer_.cancel();
}

base::Result<std::vector<netd::PeerReport>> HandshakeWatch::look() {
  if (watched_.size() > 1) return netd_.report(netd::Interface::kProduction);
  auto one = netd_.report(netd::Interface::kProduction, watched_.begin()->first);
  if (!one) return base::fail(one.error());
  std::vector<netd::PeerReport> reports;
  if (*one) reports.push_back(std::move(**one));
  return reports;
}

void HandshakeWatch::poll() {
  const base::Time begin = base::BootClock::now();
  // An error is not ours to tell: the attempt has a deadline, and whatever is wrong with the interface shows elsewhere.
  const auto reports = look();
  const base::Duration cost = base::BootClock::now() - begin;

  std::vector<std::pair<model::PeerIndex, gate::Ticket>> seen;
  if (reports) {
    for (const netd::PeerReport& report : *reports) {
      if (report.latest_handshake == wireguard::HandshakeTime{}) continue;
      const auto found = watched_.find(report.peer);
      if (found == watched_.end()) continue;
      seen.emplace_back(*found);
      watched_.erase(found);
    }
  }
  if (!watched_.empty()) {
    const base::Duration pause = ++polls_ < kEagerPolls ? interval_ : std::max(interval_, cost * kShareOfTime);
    timer_.after(pause, [this] { poll(); });
    interval_ = std::min(interval_ * 5 / 4, kLongestInterval);
  }
  for (const auto& [peer, ticket] : seen) seen_(peer, ticket);
}

}  // namespace anubis::daemon

#include "anubisd/side_endpoints.h"

#include <algorithm>
#include <chrono>
#include <unordered_set>
#include <utility>
#include <vector>

#include "anubisd/handshake_age.h"
#include "lib/base/log.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using model::PeerIndex;

constexpr base::Duration kFirstRetry = 1s;
constexpr base::Duration kLongestRetry = 60s;
// How often a side tunnel is looked at: one that lives needs no name server.
constexpr base::Duration kCheck = 2min;

}  // namespace

SideEndpoints::SideEndpoints(Loop& loop, const model::PeerDirectory& directory, netd::Netd& netd, PeerPorts& ports,
                             Resolver& resolver, base::Random& random, std::function<void(PeerIndex)> found)
    : directory_(directory),
      netd_(netd),
      ports_(ports),
      resolver_(resolver),
      random_(random),
      found_(std::move(found)),
      timer_(loop) {}

void SideEndpoints::follow(PeerIndex peer) {
  forget(peer);
  const model::Peer* configured = directory_.get(peer);
  if (configured == nullptr || !configured->side_endpoint || configured->side_endpoint->literal()) return;
  followed_.try_emplace(peer);
  resolve(peer);
}

void SideEndpoints::forget(PeerIndex peer) {
  const auto found = followed_.find(peer);
  if (found == followed_.end()) return;
  if (found->second.due) queue_.erase({*found->second.due, peer});
  followed_.erase(found);
}

std::optional<model::Endpoint> SideEndpoints::known(PeerIndex peer) const {
  const model::Peer* configured = directory_.get(peer);
  if (configured == nullptr || !configured->side_endpoint || !configured->side_endpoint->port) return std::nullopt;
  auto address = configured->side_endpoint->literal();
  if (const auto found = followed_.find(peer); found != followed_.end()) address = found->second.address;
  if (!address) return std::nullopt;
  return ports_.over_port_in_use(peer, {.address = *address, .port = *configured->side_endpoint->port});
}

void SideEndpoints::adopt_ports() {
  bool has_ports = false;
  directory_.for_each([&](PeerIndex, const model::Peer& peer) { has_ports |= !peer.endpoint_ports.empty(); });
  if (!has_ports) return;
  const auto reports = netd_.report(netd::Interface::kSide);
  if (!reports) return;
  for (const netd::PeerReport& report : *reports) {
    if (report.endpoint) ports_.adopt(report.peer, report.endpoint->port);
  }
}

void SideEndpoints::unheard(PeerIndex peer, unsigned times) {
  constexpr unsigned kTooOften = 3;
  if (times == kTooOften) return renew(peer);
  // The others first: looking for a handshake costs a dump.
  const model::Peer* const configured = directory_.get(peer);
  const bool has_others = configured != nullptr && !configured->endpoint_ports.empty();
  if (has_others && known(peer) && !has_shaken_hands(peer) && ports_.try_next(peer)) {
    base::log::info({"endpoint.port-tried", configured->name}, "{} does not answer: trying {}", configured->name,
                    known(peer)->to_string());
    return renew(peer);
  }
  if (times % kTooOften == 0) renew(peer);
}

// Since it was placed last.
bool SideEndpoints::has_shaken_hands(PeerIndex peer) {
  const auto report = netd_.report(netd::Interface::kSide, peer);
  return report && *report && (*report)->latest_handshake != wireguard::HandshakeTime{};
}

void SideEndpoints::network_changed() {
  for (const PeerIndex peer : ports_.changed()) {
    if (ports_.begin_again(peer)) renew(peer);
  }
}

void SideEndpoints::renew(PeerIndex peer) {
  if (const auto found = followed_.find(peer); found != followed_.end()) {
    if (const auto due = std::exchange(found->second.due, std::nullopt)) {
      queue_.erase({*due, peer});
      resolve(peer);
    }
  }
  const auto endpoint = known(peer);
  if (!endpoint) return;
  if (const auto status = netd_.set_side_endpoint(peer, *endpoint); !status) {
    const std::string& name = directory_.get(peer)->name;
    base::log::warning({"endpoint.side-failed", name}, "{}: {}", name, status.error().message);
  }
}

// ±25 %, so that many hosts that started together do not ask together.
void SideEndpoints::schedule(PeerIndex peer, Followed& followed, base::Duration after) {
  const auto spread = static_cast<std::uint64_t>((after / 2).count());
  followed.due = base::BootClock::now() + after * 3 / 4 + base::Duration(random_.below(spread));
  queue_.emplace(*followed.due, peer);
  arm();
}

void SideEndpoints::arm() {
  if (queue_.empty()) return timer_.cancel();
  timer_.at(queue_.begin()->first, [this] { wake(); });
}

void SideEndpoints::wake() {
  const base::Time now = base::BootClock::now();
  std::vector<PeerIndex> due;
  while (!queue_.empty() && queue_.begin()->first <= now) {
    due.push_back(queue_.begin()->second);
    queue_.erase(queue_.begin());
    followed_.at(due.back()).due.reset();
  }
  std::unordered_set<PeerIndex> alive;
  if (const auto reports = netd_.report(netd::Interface::kSide)) {
    for (const netd::PeerReport& report : *reports) {
      const auto age = handshake_age(report.latest_handshake);
      if (age && *age < kHandshakeLives) alive.insert(report.peer);
    }
  }
  for (const PeerIndex peer : due) {
    if (alive.contains(peer)) {
      schedule(peer, followed_.at(peer), kCheck);
    } else {
      resolve(peer);
    }
  }
  arm();
}

void SideEndpoints::resolve(PeerIndex peer) {
  const model::HostPort asked = *directory_.get(peer)->side_endpoint;
  resolver_.resolve(asked.host, Urgency::kLater, [this, peer, asked](base::Result<model::IpAddress> address) {
    resolved(peer, asked, std::move(address));
  });
}

void SideEndpoints::resolved(PeerIndex peer, const model::HostPort& asked, base::Result<model::IpAddress> address) {
  const auto found = followed_.find(peer);
  // Forgotten, or changed, meanwhile: then another answer is under way.
  if (found == followed_.end() || found->second.due || directory_.get(peer)->side_endpoint != asked) return;
  Followed& followed = found->second;
  base::Status status;
  if (address && followed.address != *address) {
    status = set(peer, ports_.over_port_in_use(peer, {.address = *address, .port = *asked.port}));
  } else if (!address) {
    status = base::fail(address.error());
  }
  if (!status) {
    const bool first_failure = followed.retry_after == base::Duration{0};
    followed.retry_after = first_failure ? kFirstRetry : std::min(followed.retry_after * 2, kLongestRetry);
    if (first_failure) {
      const std::string& name = directory_.get(peer)->name;
      base::log::warning({"endpoint.side-failed", name}, "{}: {}; trying again until it works", name,
                         status.error().message);
    }
    return schedule(peer, followed, followed.retry_after);
  }
  const bool is_first = !followed.address;
  followed.address = *address;
  followed.retry_after = base::Duration{0};
  schedule(peer, followed, kCheck);
  if (is_first) found_(peer);
}

base::Status SideEndpoints::set(PeerIndex peer, const model::Endpoint& endpoint) {
  auto status = netd_.set_side_endpoint(peer, endpoint);
  if (status) {
    const std::string& name = directory_.get(peer)->name;
    base::log::info({"endpoint.side", name}, "{}: the side tunnel goes to {}", name, endpoint.to_string());
  }
  return status;
}

}  // namespace anubis::daemon

#include "anubisd/netd/drift.h"

#include <algorithm>

namespace anubis::netd {
namespace {

// Somebody may flush a table with thousands of routes, and nobody wants to read of each.
constexpr std::size_t kMaxWaiting = 64;

}  // namespace

void DriftQueue::tell(const Drift& drift) {
  if (std::ranges::find(waiting_, drift) != waiting_.end()) return;
  if (waiting_.size() < kMaxWaiting) {
    waiting_.push_back(drift);
  } else {
    ++dropped_;
  }
}

std::vector<Drift> DriftQueue::take() {
  auto taken = std::exchange(waiting_, {});
  if (const auto dropped = std::exchange(dropped_, 0); dropped > 0)
    taken.push_back({.kind = DriftKind::kUntold, .interface = Interface::kProduction, .peer = {}, .count = dropped});
  return taken;
}

}  // namespace anubis::netd

#include "lib/wireguard/batch.h"

#include <algorithm>

namespace anubis::wireguard {
namespace {

// A peer with a part of its allowed IPs would send the rest of its traffic elsewhere, perhaps in clear: better none.
bool can_be_half_applied(const PeerChange& change) {
  switch (change.action) {
    case PeerAction::kSet:
      return true;
    case PeerAction::kUpdateOnly:
      return change.allowed_ips.has_value() && !change.adds_allowed_ips;
    case PeerAction::kRemove:
      return false;
  }
  return false;
}

class Applier {
 public:
  Applier(std::span<const PeerChange> changes, const Transaction& transaction)
      : changes_(changes), transaction_(transaction) {}

  PeerFailures run() {
    while (next_ < changes_.size() && !stopped_) apply_batch(std::min(kMaxPeersPerBatch, changes_.size() - next_));
    return std::move(failures_);
  }

 private:
  void apply_batch(std::size_t size) {
    const auto outcome = transaction_(changes_.subspan(next_, size));
    switch (outcome.delivery) {
      case Delivery::kApplied:
        next_ += size;
        return;
      case Delivery::kRejected:
        // All of these can be repeated in order with the same result, so one by one tells which it was.
        for (std::size_t left = size; left > 0 && !stopped_; --left) apply_one(left);
        return;
      case Delivery::kDeviceLost:
        fail_all_from_here(0, outcome.error);
        return;
      case Delivery::kUnknown:
        fail_all_from_here(size, outcome.error);
        return;
    }
  }

  void apply_one(std::size_t left_of_batch) {
    const auto outcome = transaction_(changes_.subspan(next_, 1));
    switch (outcome.delivery) {
      case Delivery::kApplied:
        ++next_;
        return;
      case Delivery::kRejected:
        failures_.push_back({next_, undo_half(changes_[next_]), outcome.error});
        ++next_;
        return;
      case Delivery::kDeviceLost:
        fail_all_from_here(0, outcome.error);
        return;
      case Delivery::kUnknown:
        // The others of the batch may stand as the rejected attempt left them.
        fail_all_from_here(left_of_batch, outcome.error);
        return;
    }
  }

  FailedState undo_half(const PeerChange& change) {
    if (!can_be_half_applied(change)) return FailedState::kNotApplied;
    const PeerChange removal{.public_key = change.public_key, .action = PeerAction::kRemove};
    const auto outcome = transaction_({&removal, 1});
    return outcome.delivery == Delivery::kApplied ? FailedState::kNotApplied : FailedState::kUnknown;
  }

  void fail_all_from_here(std::size_t unknown, const base::Error& error) {
    for (const auto first = next_; next_ < changes_.size(); ++next_) {
      const auto state = next_ - first < unknown ? FailedState::kUnknown : FailedState::kNotApplied;
      failures_.push_back({next_, state, error});
    }
    stopped_ = true;
  }

  std::span<const PeerChange> changes_;
  const Transaction& transaction_;
  std::size_t next_ = 0;
  bool stopped_ = false;
  PeerFailures failures_;
};

}  // namespace

PeerFailures apply_in_batches(std::span<const PeerChange> changes, const Transaction& transaction) {
  return Applier(changes, transaction).run();
}

}  // namespace anubis::wireguard

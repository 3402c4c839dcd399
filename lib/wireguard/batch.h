// What the implementations of Device::apply have in common: changes go to the device in batches, and when a batch is
// rejected, the change that is to blame is found.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "lib/base/result.h"
#include "lib/wireguard/device.h"

namespace anubis::wireguard {

// The kernel holds RTNL for a whole message and spends about 50 µs on each new peer: more would keep others waiting
// for long.
constexpr std::size_t kMaxPeersPerBatch = 64;

enum class Delivery {
  kApplied,     // all of it
  kRejected,    // because of one of the changes: those before it are applied, those behind it are not
  kDeviceLost,  // because of the device (gone, not permitted): nothing can be applied
  kUnknown,     // no answer: any part may be applied
};

struct Outcome {
  Delivery delivery = Delivery::kApplied;
  base::Error error;  // of no meaning when kApplied
};

// Gives the device at most kMaxPeersPerBatch changes.
using Transaction = std::function<Outcome(std::span<const PeerChange>)>;

[[nodiscard]] PeerFailures apply_in_batches(std::span<const PeerChange> changes, const Transaction& transaction);

}  // namespace anubis::wireguard

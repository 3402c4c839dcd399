// How long ago WireGuard last shook hands, for sentences and for judging whether a tunnel lives.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "lib/base/clock.h"
#include "lib/wireguard/device.h"

namespace anubis::daemon {

// A tunnel in use shakes hands every two minutes; after three WireGuard itself takes the old keys for dead
// (REJECT_AFTER_TIME).
constexpr base::Duration kHandshakeLives = std::chrono::minutes(3);

// None: never. WireGuard tells it by the wall clock, so that one that was set back gives an age of zero.
[[nodiscard]] inline std::optional<base::Duration> handshake_age(wireguard::HandshakeTime handshake) {
  if (handshake == wireguard::HandshakeTime{}) return std::nullopt;
  return std::max(base::Duration(std::chrono::system_clock::now() - handshake), base::Duration{0});
}

}  // namespace anubis::daemon

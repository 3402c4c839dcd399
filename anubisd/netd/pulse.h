// How WireGuard is made to send: its keepalive goes from off to on.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/wireguard/device.h"

namespace anubis::netd {

// WireGuard sends to that peer at once, which starts a handshake where there is no session. It has that keepalive
// before and afterwards.
void append_pulse(const crypto::PublicKey& key, std::uint16_t keepalive, std::vector<wireguard::PeerChange>& changes);

}  // namespace anubis::netd

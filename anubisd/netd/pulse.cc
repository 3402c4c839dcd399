#include "anubisd/netd/pulse.h"

namespace anubis::netd {

void append_pulse(const crypto::PublicKey& key, std::uint16_t keepalive, std::vector<wireguard::PeerChange>& changes) {
  constexpr std::uint16_t kAny = 25;
  const auto set = [&](std::uint16_t seconds) {
    changes.push_back(
        {.public_key = key, .action = wireguard::PeerAction::kUpdateOnly, .persistent_keepalive = seconds});
  };
  set(keepalive == 0 ? kAny : 0);
  set(keepalive);
}

}  // namespace anubis::netd

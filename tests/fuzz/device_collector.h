// A WireGuard device as a parser told it, for comparison.
#pragma once

#include <algorithm>
#include <vector>

#include "lib/wireguard/device.h"

namespace anubis::fuzz {

struct DeviceCollector final : wireguard::DumpVisitor {
  int begun = 0;
  wireguard::DeviceInfo info;
  std::vector<wireguard::PeerState> peers;

  void begin(const wireguard::DeviceInfo& device) override {
    ++begun;
    info = device;
    peers.clear();
  }
  void peer(wireguard::PeerState&& peer) override { peers.push_back(std::move(peer)); }

  [[nodiscard]] std::vector<wireguard::PeerChange> as_changes() const {
    std::vector<wireguard::PeerChange> changes;
    for (const auto& peer : peers) {
      changes.push_back({.public_key = peer.public_key,
                         .endpoint = peer.endpoint,
                         .allowed_ips = peer.allowed_ips,
                         .persistent_keepalive = peer.persistent_keepalive,
                         .preshared_key = peer.preshared_key});
    }
    return changes;
  }
  static bool same_key(const wireguard::PeerState& a, const wireguard::PeerState& b) {
    if (!a.preshared_key || !b.preshared_key) return a.preshared_key == b.preshared_key;
    return a.preshared_key->equals(*b.preshared_key);
  }
  // In what a change can tell.
  [[nodiscard]] bool same_peers(const DeviceCollector& other) const {
    return std::ranges::equal(peers, other.peers, [](const auto& a, const auto& b) {
      return a.public_key == b.public_key && a.endpoint == b.endpoint && a.allowed_ips == b.allowed_ips &&
             a.persistent_keepalive == b.persistent_keepalive && same_key(a, b);
    });
  }
  bool operator==(const DeviceCollector& other) const {
    return begun == other.begun && info.public_key == other.info.public_key &&
           info.listen_port == other.info.listen_port && info.fwmark == other.info.fwmark && same_peers(other) &&
           std::ranges::equal(peers, other.peers, [](const auto& a, const auto& b) {
             return a.latest_handshake == b.latest_handshake && a.rx_bytes == b.rx_bytes && a.tx_bytes == b.tx_bytes;
           });
  }
};

}  // namespace anubis::fuzz

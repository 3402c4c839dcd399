#include "anubisd/netd/peer_mirror.h"

#include <algorithm>
#include <utility>

namespace anubis::netd {

bool holds_exactly(const MirroredPeer& peer, const std::vector<model::IpPrefix>& allowed_ips) {
  if (peer.allowed_ips.size() != allowed_ips.size()) return false;
  auto sorted = allowed_ips;
  std::ranges::sort(sorted);
  return sorted == peer.allowed_ips;
}

void PeerMirror::clear() {
  peers_.clear();
  holders_.clear();
}

void PeerMirror::set(const crypto::PublicKey& key, MirroredPeer peer) {
  std::ranges::sort(peer.allowed_ips);
  erase(key);
  for (const auto& prefix : peer.allowed_ips) {
    const auto [held, is_new] = holders_.emplace(prefix, key);
    if (is_new) continue;
    if (const auto loser = peers_.find(held->second); loser != peers_.end())
      std::erase(loser->second.allowed_ips, prefix);
    held->second = key;
  }
  peers_.emplace(key, std::move(peer));
}

void PeerMirror::erase(const crypto::PublicKey& key) {
  const auto found = peers_.find(key);
  if (found == peers_.end()) return;
  for (const auto& prefix : found->second.allowed_ips) holders_.erase(prefix);
  peers_.erase(found);
}

const MirroredPeer* PeerMirror::find(const crypto::PublicKey& key) const {
  const auto found = peers_.find(key);
  return found == peers_.end() ? nullptr : &found->second;
}

const crypto::PublicKey* PeerMirror::holder(const model::IpPrefix& prefix) const {
  const auto found = holders_.find(prefix);
  return found == holders_.end() ? nullptr : &found->second;
}

void MirrorFiller::begin(const wireguard::DeviceInfo& /*device*/) { mirror_.clear(); }

void MirrorFiller::peer(wireguard::PeerState&& peer) {
  mirror_.set(peer.public_key, {.endpoint = peer.endpoint,
                                .allowed_ips = std::move(peer.allowed_ips),
                                .persistent_keepalive = peer.persistent_keepalive,
                                .had_handshake = peer.latest_handshake != wireguard::HandshakeTime{},
                                .preshared_key = std::move(peer.preshared_key)});
}

}  // namespace anubis::netd

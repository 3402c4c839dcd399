// What we know of the peers on the production device, foreign ones included: from the last dump and from what we did
// since. Answers whether a peer is there, and who holds an allowed IP, without asking the device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "lib/crypto/keys.h"
#include "lib/model/endpoint.h"
#include "lib/model/ip.h"
#include "lib/wireguard/device.h"

namespace anubis::netd {

struct MirroredPeer {
  std::optional<model::Endpoint> endpoint;
  std::vector<model::IpPrefix> allowed_ips;  // sorted
  std::uint16_t persistent_keepalive = 0;
  bool had_handshake = false;                                          // at the last dump
  std::shared_ptr<const crypto::WireGuardPresharedKey> preshared_key;  // null: none
};

// Whether the peer holds exactly these, in whatever order.
[[nodiscard]] bool holds_exactly(const MirroredPeer& peer, const std::vector<model::IpPrefix>& allowed_ips);

class PeerMirror {
 public:
  void clear();
  // As WireGuard does: the peer's allowed IPs are taken away from whoever had them.
  void set(const crypto::PublicKey& key, MirroredPeer peer);
  void erase(const crypto::PublicKey& key);

  [[nodiscard]] std::size_t size() const { return peers_.size(); }
  // Null: not there. Valid until the next change.
  [[nodiscard]] const MirroredPeer* find(const crypto::PublicKey& key) const;
  // Who holds exactly that prefix.
  [[nodiscard]] const crypto::PublicKey* holder(const model::IpPrefix& prefix) const;
  [[nodiscard]] const auto& peers() const { return peers_; }

 private:
  std::unordered_map<crypto::PublicKey, MirroredPeer, crypto::PublicKeyHash> peers_;
  std::map<model::IpPrefix, crypto::PublicKey> holders_;
};

// Fills the mirror from a dump. The mirror is of use only when the dump succeeded.
class MirrorFiller final : public wireguard::DumpVisitor {
 public:
  explicit MirrorFiller(PeerMirror& mirror) : mirror_(mirror) {}
  void begin(const wireguard::DeviceInfo& device) override;
  void peer(wireguard::PeerState&& peer) override;

 private:
  PeerMirror& mirror_;
};

}  // namespace anubis::netd

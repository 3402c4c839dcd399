// A WireGuard device in memory, for tests and simulations. It misbehaves as the real ones do: moves allowed IPs
// silently, ignores the own key, has its dumps disturbed, runs out of memory half-way, is full, goes away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/wireguard/batch.h"
#include "lib/wireguard/device.h"

namespace anubis::wireguard::testing {

class FakeDevice final : public Device {
 public:
  explicit FakeDevice(std::uint32_t ifindex = 7) { info_.ifindex = ifindex; }

  base::Status configure(const Configuration& configuration) override;
  [[nodiscard]] PeerFailures apply(std::span<const PeerChange> changes) override;
  base::Result<DeviceInfo> info() override;
  base::Status visit(DumpVisitor& visitor) override;

  // What the network does.
  void set_link_up(bool up);
  void complete_handshake(const crypto::PublicKey& key, HandshakeTime when);
  void count_traffic(const crypto::PublicKey& key, std::uint64_t rx_bytes, std::uint64_t tx_bytes);
  void roam(const crypto::PublicKey& key, const model::Endpoint& endpoint);

  // Faults.
  void limit_peers(std::size_t limit) { peer_limit_ = limit; }
  // The nth allowed IP from now on (0: the next) meets ENOMEM, and so does every attempt until clear_faults().
  void fail_at_allowed_ip(std::size_t nth) { allowed_ips_until_failure_ = nth; }
  // The same for one peer, wherever it stands in a batch, at its nth allowed IP.
  void fail_peer_at_allowed_ip(const crypto::PublicKey& key, std::size_t nth) { failing_peers_[key] = nth; }
  void disturb_dumps(std::size_t count) { disturbed_dumps_ = count; }
  void lose_answers(std::size_t count) { lost_answers_ = count; }  // to apply(): done, but nobody is told
  void vanish() { gone_ = true; }
  void reappear();  // as a new device: no key, no peers
  void clear_faults();

  // What was seen.
  [[nodiscard]] const std::vector<crypto::PublicKey>& packets_sent() const { return packets_sent_; }
  [[nodiscard]] std::size_t private_key_writes() const { return private_key_writes_; }
  [[nodiscard]] std::size_t batches() const { return batches_; }
  [[nodiscard]] std::size_t dumps() const { return dumps_; }
  // None: no such peer.
  [[nodiscard]] std::optional<PeerState> peer(const crypto::PublicKey& key) const;

 private:
  enum class Applied { kYes, kFull, kNoMemory };

  Outcome transact(std::span<const PeerChange> changes);
  Applied apply_one(const PeerChange& change);
  bool insert_allowed_ip(PeerState& peer, const model::IpPrefix& prefix, std::size_t nth);
  void set_keepalive(PeerState& peer, std::uint16_t seconds);

  DeviceInfo info_;
  std::map<crypto::PublicKey, PeerState> peers_;
  bool link_up_ = true;
  bool gone_ = false;
  std::size_t peer_limit_ = std::size_t{1} << 20;
  std::optional<std::size_t> allowed_ips_until_failure_;
  std::map<crypto::PublicKey, std::size_t> failing_peers_;
  std::size_t disturbed_dumps_ = 0;
  std::size_t lost_answers_ = 0;
  std::vector<crypto::PublicKey> packets_sent_;
  std::size_t private_key_writes_ = 0;
  std::size_t batches_ = 0;
  std::size_t dumps_ = 0;
};

}  // namespace anubis::wireguard::testing

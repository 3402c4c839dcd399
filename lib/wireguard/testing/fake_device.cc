#include "lib/wireguard/testing/fake_device.h"

#include <algorithm>
#include <utility>

namespace anubis::wireguard::testing {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxDumps = 10;
constexpr std::uint16_t kAnyPort = 51820;

base::Error gone() { return {ErrorCode::kNotFound, "there is no such interface"}; }

}  // namespace

base::Status FakeDevice::configure(const Configuration& configuration) {
  if (gone_) return fail(gone());
  const auto differing = differing_from(info_, configuration);
  if (!differing) return {};
  if (differing->private_key != nullptr) {
    ++private_key_writes_;
    info_.public_key = differing->private_key->derive_public_key();
    // As the kernel does: a peer with the key that the device now has goes.
    peers_.erase(*info_.public_key);
  }
  if (differing->listen_port) info_.listen_port = *differing->listen_port;
  if (differing->fwmark) info_.fwmark = *differing->fwmark;
  return {};
}

PeerFailures FakeDevice::apply(std::span<const PeerChange> changes) {
  return apply_in_batches(changes, [this](std::span<const PeerChange> batch) { return transact(batch); });
}

Outcome FakeDevice::transact(std::span<const PeerChange> changes) {
  if (gone_) return {Delivery::kDeviceLost, gone()};
  ++batches_;
  for (const auto& change : changes) {
    switch (apply_one(change)) {
      case Applied::kYes:
        break;
      case Applied::kFull:
        return {Delivery::kRejected, {ErrorCode::kFull, "the device is full"}};
      case Applied::kNoMemory:
        return {Delivery::kRejected, {ErrorCode::kFull, "out of memory"}};
    }
  }
  if (lost_answers_ > 0) {
    --lost_answers_;
    return {Delivery::kUnknown, {ErrorCode::kBusy, "the answer was lost"}};
  }
  return {};
}

FakeDevice::Applied FakeDevice::apply_one(const PeerChange& change) {
  if (change.action == PeerAction::kRemove) {
    peers_.erase(change.public_key);
    return Applied::kYes;
  }
  auto found = peers_.find(change.public_key);
  if (found == peers_.end()) {
    if (change.action == PeerAction::kUpdateOnly || change.public_key == info_.public_key) return Applied::kYes;
    if (peers_.size() >= peer_limit_) return Applied::kFull;
    found = peers_.emplace(change.public_key, PeerState{}).first;
    found->second.public_key = change.public_key;
  }
  PeerState& peer = found->second;
  if (change.preshared_key) {
    const bool off = std::ranges::all_of(change.preshared_key->view(), [](std::uint8_t byte) { return byte == 0; });
    peer.preshared_key = off ? nullptr : change.preshared_key;
  }
  if (change.endpoint) peer.endpoint = change.endpoint;
  if (change.allowed_ips) {
    if (!change.adds_allowed_ips) peer.allowed_ips.clear();
    for (std::size_t nth = 0; nth < change.allowed_ips->size(); ++nth) {
      if (!insert_allowed_ip(peer, (*change.allowed_ips)[nth], nth)) return Applied::kNoMemory;
    }
  }
  if (change.persistent_keepalive) set_keepalive(peer, *change.persistent_keepalive);
  return Applied::kYes;
}

bool FakeDevice::insert_allowed_ip(PeerState& peer, const model::IpPrefix& prefix, std::size_t nth) {
  if (const auto failing = failing_peers_.find(peer.public_key);
      failing != failing_peers_.end() && nth >= failing->second) {
    return false;
  }
  if (allowed_ips_until_failure_) {
    if (*allowed_ips_until_failure_ == 0) return false;
    --*allowed_ips_until_failure_;
  }
  // Moved silently from whoever has it.
  for (auto& [key, other] : peers_) std::erase(other.allowed_ips, prefix);
  peer.allowed_ips.push_back(prefix);
  return true;
}

void FakeDevice::set_keepalive(PeerState& peer, std::uint16_t seconds) {
  const bool turned_on = std::exchange(peer.persistent_keepalive, seconds) == 0 && seconds != 0;
  if (turned_on && link_up_) packets_sent_.push_back(peer.public_key);
}

base::Result<DeviceInfo> FakeDevice::info() {
  if (gone_) return fail(gone());
  return info_;
}

base::Status FakeDevice::visit(DumpVisitor& visitor) {
  for (std::size_t attempt = 0; attempt < kMaxDumps; ++attempt) {
    if (gone_) return fail(gone());
    ++dumps_;
    visitor.begin(info_);
    const bool disturbed = disturbed_dumps_ > 0;
    if (disturbed) --disturbed_dumps_;
    // A disturbed dump is noticed only after a part of it has been seen.
    auto left = disturbed ? (peers_.size() + 1) / 2 : peers_.size();
    for (auto peer = peers_.begin(); left > 0; ++peer, --left) visitor.peer(PeerState(peer->second));
    if (!disturbed) return {};
  }
  return fail(ErrorCode::kBusy, "the device was changed by others while it was read");
}

void FakeDevice::set_link_up(bool up) {
  const bool was_up = std::exchange(link_up_, up);
  if (!up || was_up) return;
  if (info_.listen_port == 0) info_.listen_port = kAnyPort;
  // As the kernel does when the link comes up.
  for (const auto& [key, peer] : peers_) {
    if (peer.persistent_keepalive != 0) packets_sent_.push_back(key);
  }
}

void FakeDevice::complete_handshake(const crypto::PublicKey& key, HandshakeTime when) {
  if (const auto found = peers_.find(key); found != peers_.end()) found->second.latest_handshake = when;
}

void FakeDevice::count_traffic(const crypto::PublicKey& key, std::uint64_t rx_bytes, std::uint64_t tx_bytes) {
  if (const auto found = peers_.find(key); found != peers_.end()) {
    found->second.rx_bytes += rx_bytes;
    found->second.tx_bytes += tx_bytes;
  }
}

void FakeDevice::roam(const crypto::PublicKey& key, const model::Endpoint& endpoint) {
  if (const auto found = peers_.find(key); found != peers_.end()) found->second.endpoint = endpoint;
}

void FakeDevice::reappear() {
  gone_ = false;
  peers_.clear();
  info_ = DeviceInfo{.public_key = {}, .listen_port = 0, .fwmark = 0, .ifindex = info_.ifindex + 1};
}

void FakeDevice::clear_faults() {
  peer_limit_ = std::size_t{1} << 20;
  allowed_ips_until_failure_.reset();
  failing_peers_.clear();
  disturbed_dumps_ = 0;
  lost_answers_ = 0;
}

std::optional<PeerState> FakeDevice::peer(const crypto::PublicKey& key) const {
  const auto found = peers_.find(key);
  if (found == peers_.end()) return std::nullopt;
  return found->second;
}

}  // namespace anubis::wireguard::testing

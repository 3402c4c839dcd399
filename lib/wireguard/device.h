// Control of one WireGuard device, production or side: its own settings and its peers. Behind it stand the kernel
// (KernelDevice), a userspace implementation (UserspaceDevice) or a fake. Plain values in and out, so that it can be
// asked for from another process.
//
// Calls block until the device has answered: some 10 µs and 50 to 100 µs a new peer, bounded by the time-outs of the
// implementation. One thread at a time.
//
// What every implementation does, because the kernel does, and callers have to know:
//  - An allowed IP given to a second peer is moved silently, and nobody gives it back.
//  - A peer with the device's own public key is ignored silently, and the change counts as applied.
//  - Removing a peer that is not there succeeds, and so does updating one (kUpdateOnly).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/crypto/keys.h"
#include "lib/model/endpoint.h"
#include "lib/model/ip.h"

namespace anubis::wireguard {

struct Configuration {
  const crypto::PrivateKey* private_key = nullptr;  // null: as it is
  std::optional<std::uint16_t> listen_port = {};    // none: as it is; 0: any, so the present one stays
  std::optional<std::uint32_t> fwmark = {};         // none: as it is; 0: off
};

enum class PeerAction {
  kSet,         // create the peer, or update what is named of it
  kUpdateOnly,  // update what is named if the peer exists; else nothing
  kRemove,      // the other fields are ignored
};

// What is not named stays as it is (kUpdateOnly, kSet of a peer that exists) or is empty and off (kSet of a new peer).
struct PeerChange {
  crypto::PublicKey public_key{};
  PeerAction action = PeerAction::kSet;
  std::optional<model::Endpoint> endpoint = {};
  std::optional<std::vector<model::IpPrefix>> allowed_ips = {};  // replaces all
  bool adds_allowed_ips = false;                                 // to those that it has, instead of replacing them
  // Seconds; 0: off. Going from 0 to N on a device whose link is up sends a packet at once, which starts a handshake
  // when there is none.
  std::optional<std::uint16_t> persistent_keepalive = {};
  std::shared_ptr<const crypto::WireGuardPresharedKey> preshared_key = {};  // null: as it is; all zero: off
};

enum class FailedState {
  kNotApplied,  // surely; a peer that was to be set and could be set in part only has been removed
  kUnknown,     // the device did not answer, or removing what was set in part failed too: dump to know
};

struct PeerFailure {
  std::size_t index = 0;  // into the changes
  FailedState state = FailedState::kNotApplied;
  base::Error error;
};

// Empty: everything is applied. Otherwise in the order of the changes; whatever is not named is applied.
using PeerFailures = std::vector<PeerFailure>;

struct DeviceInfo {
  std::optional<crypto::PublicKey> public_key;  // none: the device has no private key yet
  std::uint16_t listen_port = 0;
  std::uint32_t fwmark = 0;  // 0: off
  std::uint32_t ifindex = 0;
};

// What of the wanted configuration the device does not have yet; none when it has all. The private key is compared by
// its public key: one X25519.
[[nodiscard]] std::optional<Configuration> differing_from(const DeviceInfo& present, const Configuration& wanted);

using HandshakeTime = std::chrono::sys_time<std::chrono::nanoseconds>;

// The wall clock may be wrong by anything: what does not fit is cut, so that it is neither "never" nor undefined.
[[nodiscard]] HandshakeTime to_handshake_time(std::int64_t seconds, std::int64_t nanoseconds);

struct PeerState {
  crypto::PublicKey public_key;
  std::shared_ptr<const crypto::WireGuardPresharedKey> preshared_key;  // null: none
  std::optional<model::Endpoint> endpoint;
  std::vector<model::IpPrefix> allowed_ips;  // in no particular order
  std::uint16_t persistent_keepalive = 0;    // seconds; 0: off
  HandshakeTime latest_handshake;            // by the wall clock; the epoch: never
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
};

struct DeviceState : DeviceInfo {
  std::vector<PeerState> peers;  // in no particular order
};

// Receives a dump peer by peer, for devices with too many to hold.
class DumpVisitor {
 public:
  virtual ~DumpVisitor() = default;
  // Comes first, and again whenever a dump was disturbed and is taken anew: forget the peers seen so far.
  virtual void begin(const DeviceInfo& device) = 0;
  virtual void peer(PeerState&& peer) = 0;
};

class Device {
 public:
  virtual ~Device() = default;

  // Sets what differs. The private key is not written again when the device has it already: that would redo the
  // X25519 of every peer.
  virtual base::Status configure(const Configuration& configuration) = 0;

  // Applies the changes strictly in order; the same peer may occur more than once (removed and set again: re-created).
  // A change that fails does not keep the others from being applied, unless the device itself is the reason.
  [[nodiscard]] virtual PeerFailures apply(std::span<const PeerChange> changes) = 0;

  // The device without its peers: cheap with the kernel, however many peers there are.
  virtual base::Result<DeviceInfo> info() = 0;

  // kBusy when the dump was disturbed again and again. After an error the visitor has seen a part only.
  virtual base::Status visit(DumpVisitor& visitor) = 0;

  // visit(), collected.
  base::Result<DeviceState> dump();
};

}  // namespace anubis::wireguard

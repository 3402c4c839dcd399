// Generic netlink messages for WireGuard, built and parsed without any socket. The format is that of
// <linux/wireguard.h> and, for the family's number, <linux/genetlink.h>.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "lib/base/result.h"
#include "lib/wireguard/device.h"

struct nlmsghdr;

namespace anubis::wireguard {

// One request. Holds keys, therefore its memory is wiped.
class Message {
 public:
  // A nested attribute can hold 65,535 bytes; this is well below, and the 64 peers of a batch with a few allowed IPs
  // each fit.
  static constexpr std::size_t kCapacity = 16 * 1024;

  Message();
  Message(Message&&) = default;
  Message& operator=(Message&&) = delete;
  ~Message();

  [[nodiscard]] std::span<const std::uint8_t> bytes() const;
  // Empty, with a fresh header.
  nlmsghdr* start(std::uint16_t type, std::uint16_t flags, std::uint8_t command, std::uint8_t version);
  void set_sequence(std::uint32_t sequence);

 private:
  [[nodiscard]] nlmsghdr* header() const;

  std::unique_ptr<std::uint8_t[]> buffer_;
};

// Which device is meant: the number that the kernel gave the family, and the interface's name (1 to 15 bytes).
struct Target {
  std::uint16_t family = 0;
  std::string_view interface;
};

Message build_get_family();
Message build_get_device(const Target& target);
// Sets exactly what is named.
Message build_set_device(const Target& target, const Configuration& configuration);

// The changes as few messages. When the allowed IPs of a peer do not fit, the first message replaces, the following
// add, and the last one brings the persistent keepalive, so that no handshake starts before all is in place.
class PeerMessages {
 public:
  PeerMessages(const Target& target, std::span<const PeerChange> changes) : target_(target), changes_(changes) {}
  // None once all is built.
  std::optional<Message> next();

 private:
  bool put_peer(nlmsghdr* message);  // false when the message is full

  Target target_;
  std::span<const PeerChange> changes_;
  std::size_t change_ = 0;      // the first that is not wholly built
  std::size_t allowed_ip_ = 0;  // the first of its allowed IPs that is not built
};

// The attributes of an answer to build_get_family().
std::optional<std::uint16_t> parse_family(std::span<const std::uint8_t> attributes);

// Puts the messages of one dump together: a device's peers can be spread over them, and so can one peer.
class DeviceParser {
 public:
  explicit DeviceParser(DumpVisitor& visitor) : visitor_(visitor) {}
  // The attributes of one message. False when they are malformed; nothing may be fed afterwards.
  [[nodiscard]] bool feed(std::span<const std::uint8_t> attributes);
  // Hands out the last peer.
  void finish();

 private:
  bool feed_peers(std::span<const std::uint8_t> attributes);

  DumpVisitor& visitor_;
  bool begun_ = false;
  std::optional<PeerState> pending_;
};

}  // namespace anubis::wireguard

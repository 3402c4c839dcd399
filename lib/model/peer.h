// An authorised peer: what this host's configuration says of it. Immutable once loaded.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/crypto/keys.h"
#include "lib/model/endpoint.h"
#include "lib/model/ip.h"

namespace anubis::model {

// Names a peer while the daemon runs; kept over a reload for as long as the production key stays the same.
enum class PeerIndex : std::uint32_t {};

// Who of a peer speaks to us: the peer itself by its production key, or the page in its user's browser by its own.
enum class Speaker : std::uint8_t { kPeer, kCompanion };

struct Peer {
  std::string name;
  crypto::ProductionPublicKey public_key;
  crypto::SidePublicKey side_public_key;
  std::optional<crypto::CompanionPublicKey> companion_key;  // may bring this peer up and down, and none else
  IpAddress side_address;                                   // derived from the side public key, or configured
  std::optional<HostPort> endpoint;                         // with its port filled in; none: a roamer
  std::optional<HostPort> side_endpoint;                    // with its port filled in
  std::vector<std::uint16_t> endpoint_ports;  // at both, to be tried in turn when the configured ones bring no answer
  std::vector<IpPrefix> allowed_ips;
  std::vector<IpAddress> addresses;                           // its own, through WireGuard
  std::vector<IpAddress> lan_addresses;                       // and without
  std::uint16_t persistent_keepalive = 0;                     // seconds; 0: off
  std::shared_ptr<const crypto::PresharedKey> preshared_key;  // may be null
  // WireGuard's, of the side tunnel; may be null. That of the production interface is the session's own.
  std::shared_ptr<const crypto::WireGuardPresharedKey> side_preshared_key;
  std::optional<base::Duration> lease;         // none: until down
  std::optional<base::Duration> idle_timeout;  // of its sessions with us; none: however long nothing is said
  std::string group;                           // may be empty
  bool fails_over = false;                     // when it is lost, another of its group is used
  // We come back to it when it has been heard for so long; none: only when we are told to.
  std::optional<base::Duration> fail_back;
  // A host that was invited and has not been met: it has one-time keys, may do nothing but enrol itself
  // (docs/protocol.md, section 13), and is nobody whom users see.
  bool is_invitation = false;
  bool is_automatic = false;  // brought up and taken down by where this host is
  // No Anubis runs there: one WireGuard interface with one key, a phone's app, say. It is never asked anything.
  bool is_plain = false;
  // WireGuard's, of the production tunnel with such a peer, where no session brings one; may be null.
  std::shared_ptr<const crypto::WireGuardPresharedKey> production_preshared_key;
  bool never_clear = false;  // what is for its allowed IPs goes to it or nowhere; sessions don't mind
  // Another number after each reload that changed the peer's secrets, for those who are not given them.
  std::uint32_t secrets_version = 0;
};

}  // namespace anubis::model

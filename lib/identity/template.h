// What `init`, `trust`, `invite` and `join` write: configurations with comments, for people to read on. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/crypto/invitation.h"
#include "lib/crypto/keys.h"
#include "lib/model/endpoint.h"
#include "lib/model/ip.h"

namespace anubis::identity {

// A name for this host: the first label of the system's host name, with what no name may have replaced by hyphens.
[[nodiscard]] std::string fit_name(std::string_view host_name);

struct HostText {
  std::string name;
  std::string key_file;       // of the production key
  std::string side_key_file;  // of the side key
  std::vector<model::InterfaceAddress> addresses;
  std::optional<model::HostPort> endpoint;
};

// anubis.toml.
[[nodiscard]] std::string host_toml(const HostText& host);

// Seconds. Keeps a way open through whatever stands between: a NAT or a firewall forgets what is silent for long.
constexpr std::uint16_t kUsualKeepalive = 25;

struct PeerText {
  std::string name;
  crypto::ProductionPublicKey public_key;
  crypto::SidePublicKey side_public_key;
  std::optional<model::IpAddress> side_address;  // where it does not follow from the side public key
  std::optional<model::HostPort> endpoint;
  std::optional<model::HostPort> side_endpoint;
  std::vector<model::IpPrefix> allowed_ips;
  std::vector<model::IpAddress> addresses;  // where they don't follow from the allowed IPs
  std::uint16_t persistent_keepalive = 0;   // 0: off
};

// A [[peer]], as it stands in a file of conf.d.
[[nodiscard]] std::string peer_toml(const PeerText& peer);

// ENTRY, the [[peer]] of a host on which no Anubis ran, with what its card says; all else that stands there stays. With
// RANGES also its allowed IPs. Without a keepalive of its own it keeps what it has.
[[nodiscard]] std::string complete_peer(std::string_view entry, const PeerText& peer, bool ranges);

struct InvitationText {
  std::string name;
  crypto::ProductionPublicKey public_key;
  crypto::SidePublicKey side_public_key;
  crypto::ProofKey proof_key;
  std::int64_t expires = 0;  // seconds since 1970
  std::vector<model::IpPrefix> allowed_ips;
};

// An [[invitation]], as it stands in a file of conf.d.
[[nodiscard]] std::string invitation_toml(const InvitationText& invitation);

}  // namespace anubis::identity

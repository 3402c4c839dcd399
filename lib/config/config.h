// What /etc/anubis/anubis.toml says, checked: whoever holds a Config need not doubt it. docs/configuration.md lists
// every key. Nothing here is ever changed after loading.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/crypto/invitation.h"
#include "lib/crypto/keys.h"
#include "lib/crypto/suites.h"
#include "lib/model/endpoint.h"
#include "lib/model/host.h"
#include "lib/model/ip.h"
#include "lib/model/metrics.h"
#include "lib/model/peer.h"
#include "lib/roaming/home.h"

namespace anubis::config {

constexpr std::uint16_t kDefaultProductionPort = 4296;
constexpr std::uint16_t kDefaultSidePort = 4297;
constexpr std::uint16_t kDefaultServicePort = 4298;
constexpr std::uint16_t kDefaultCompanionPort = 4299;
constexpr std::uint32_t kDefaultTable = 214;
constexpr std::uint32_t kMainTable = 254;  // RT_TABLE_MAIN
constexpr std::uint32_t kDefaultMark = 214;

enum class Backend {
  kAuto,       // the kernel where it has WireGuard, else userspace
  kKernel,     // generic netlink
  kUserspace,  // wireguard-go or another with the UAPI socket
};

// The interface that carries traffic.
struct Production {
  std::string interface = "wg0";
  crypto::ProductionPrivateKey private_key{base::Secret<crypto::kKeySize>{}};
  crypto::ProductionPublicKey public_key;  // of private_key
  std::uint16_t listen_port = kDefaultProductionPort;
  std::vector<model::InterfaceAddress> addresses;
  std::uint32_t table = kDefaultTable;  // of the routes for AllowedIPs; kMainTable: plain routes
  std::vector<model::IpPrefix> throw_ranges;
  std::vector<model::IpPrefix> direct_ranges;  // outside of WireGuard only while this host stands on their link
  std::optional<std::uint32_t> mtu;
  std::uint32_t fwmark = kDefaultMark;  // of the bearer packets of both interfaces; 0: none
  Backend backend = Backend::kAuto;
};

// The interface for Anubis alone.
struct Side {
  std::string interface = "anubis0";
  crypto::SidePrivateKey private_key{base::Secret<crypto::kKeySize>{}};
  crypto::SidePublicKey public_key;  // of private_key
  std::uint16_t listen_port = kDefaultSidePort;
  std::uint16_t service_port = kDefaultServicePort;
  model::IpPrefix prefix;    // an IPv6 /16, of all side addresses that are derived from keys
  model::IpAddress address;  // derived from public_key, or configured; peers' are of the same family
};

// The page for phones' browsers, at the side address.
struct Companion {
  bool enabled = false;
  std::uint16_t port = kDefaultCompanionPort;  // TCP
  bool operator==(const Companion&) const = default;
};

struct Control {
  std::filesystem::path socket = "/run/anubis/control.sock";
  std::string group = "anubis";
  base::Duration stop_timeout = std::chrono::seconds(2);  // for the peers' answers to our bye
};

// What of this host's packet filter is ours.
struct Firewall {
  bool enabled = true;
  std::vector<model::IpPrefix> masquerade;  // sources that go on in the name of this host
  std::vector<model::IpAddress> snat_to;    // at most one of a family, and only of those that masquerade has
};

// A host that may become a peer by itself, once. Only whoever was given the invitation's secret can prove that the new
// keys are its.
struct Invitation {
  std::string name;                        // of the peer to be
  crypto::ProductionPublicKey public_key;  // one-time, of the peer that stands for the invitation among the peers
  crypto::ProofKey proof_key;
  std::int64_t expires = 0;  // seconds since 1970
  bool is_used = false;      // somebody has joined by it
  std::vector<model::IpPrefix> allowed_ips;
  std::filesystem::path file;  // in which it stands, and the peer is to stand
};
// No user can name it: the peer that stands for the invitation NAME.
inline constexpr std::string_view kInvitationSuffix = ":invitation";

// Move-only: it holds private keys.
struct Config {
  std::string name;   // what peers' displays call this host
  std::string group;  // of which this host is a server; may be empty
  // Where others reach this host, for its card; with its port.
  std::optional<model::HostPort> endpoint;
  // That it allows, and its hardware has; never none, in no order.
  std::vector<crypto::Suite> suites{crypto::Suite::kXChaCha20Poly1305};
  Production production;
  Side side;
  Companion companion;
  Control control;
  roaming::Settings roaming;
  model::Metrics metrics;
  // Named hosts. Nobody has another's name, with or without model::kWireGuardSuffix, or another's address.
  model::Hosts hosts;
  std::vector<std::uint16_t> also_listen;  // further numbers of both listen ports
  Firewall firewall;
  // Names, keys and side addresses are unique, and their allowed IPs overlap only on purpose.
  std::vector<model::Peer> peers;
  std::vector<Invitation> invitations;  // those that have expired or were used, too
  std::vector<std::string> warnings;    // for the log: FILE:LINE:COLUMN and a sentence each
};

// Reads the file, the *.toml files in conf.d beside it, and the key files that they name. crypto::initialise() first.
// The error holds a line for each fault, "FILE:LINE:COLUMN: key peer[2].public_key: what is wrong; what to do", at most
// 20 of them; peer[2] is the second [[peer]] of that file.
[[nodiscard]] base::Result<Config> load(const std::filesystem::path& file);

}  // namespace anubis::config

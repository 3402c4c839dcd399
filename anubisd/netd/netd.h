// Everything that needs CAP_NET_ADMIN or a secret of the configuration, behind one narrow interface of plain values.
// Peers are named by their index in the directory, which both sides hold: what a peer may use is looked up there, never
// passed in, so that whoever asks can at worst bring authorised peers up and down.
//
// Calls block: some 10 µs with the kernel, some 100 µs with a userspace WireGuard. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "firewall/firewall.h"
#include "lib/base/result.h"
#include "lib/crypto/invitation.h"
#include "lib/model/directory.h"
#include "lib/model/endpoint.h"
#include "lib/model/host.h"
#include "lib/model/peer.h"
#include "lib/model/sighting.h"
#include "lib/roaming/home.h"
#include "lib/wireguard/device.h"

namespace anubis::netd {

using model::PeerIndex;

enum class Interface : std::uint8_t { kProduction, kSide };
enum class Backend : std::uint8_t { kKernel, kUserspace };

struct InstallRequest {
  PeerIndex peer{};
  bool recreate = false;                    // remove first, so that WireGuard starts afresh
  std::optional<model::Endpoint> endpoint;  // none: as it is, or none
  bool initiate_handshake = false;          // make WireGuard send at once
  bool with_routes = true;
  // What another of its group has of its allowed IPs goes over to it. Without this, that is a conflict; and without
  // routes, what others have is left to them.
  bool take_over = false;
  // WireGuard's, of this session. Null: as it is; a peer made anew in place of another keeps that one's.
  std::shared_ptr<const crypto::WireGuardPresharedKey> preshared_key = {};
};

enum class Presence : std::uint8_t { kCreated, kFound };

// A client of a group of servers is with another of them than this host.
struct Carried {
  PeerIndex client{};
  PeerIndex server{};
  bool operator==(const Carried&) const = default;
};

// What WireGuard says of one authorised peer.
struct PeerReport {
  PeerIndex peer{};
  std::optional<model::Endpoint> endpoint;
  wireguard::HandshakeTime latest_handshake;  // the epoch: never
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
};

struct InterfaceReport {
  std::string name;
  std::uint32_t ifindex = 0;
  Backend backend = Backend::kKernel;
  bool created_by_us = false;  // else adopted: never deleted
  // The device is another one than at the last bring_up(), or the first. At the first, installed_peers() tells what an
  // earlier process left there; later, the sessions have been installed on it again.
  bool fresh = false;
};

// What somebody else did to what is ours. All but the last two are put right already.
enum class DriftKind : std::uint8_t {
  // A peer's: of a session, or on the side interface.
  kPeerRemoved = 1,
  kAllowedIps,  // changed, or moved to another peer
  kKeepalive,
  kPresharedKey,
  kRoutes,  // of a session; without a peer: those to the side interface
  // An interface's.
  kDeleted,  // or the program that serves it ended
  kReplaced,
  kRenamed,
  kSetDown,
  kMtu,
  kAlias,
  kAddresses,
  kPrivateKey,
  kListenPort,
  kMark,
  kStrangers,  // peers that nobody authorised; put right on the side interface only
  // The host's.
  kRules,
  kThrowRoutes,
  kFirewall,
  // The interface is not there, and could not be brought back yet. Told as long as it is so.
  kLost,
  // So many more happened than could be kept until they were taken.
  kUntold,
};

struct Drift {
  DriftKind kind{};
  Interface interface{};
  std::optional<PeerIndex> peer;
  std::uint32_t count = 0;  // of kUntold
  bool operator==(const Drift&) const = default;
};

enum class FirewallState : std::uint8_t {
  kInPlace,
  kDisabled,  // by the configuration
  kRemoved,   // by the administrator, who said so
  kChanged,   // it is not as it should be, and will be put right
};

struct FirewallReport {
  FirewallState state{};
  bool is_configured = false;                      // false, and kInPlace: the administrator has put it there
  std::vector<firewall::ClosedPort> closed_ports;  // by others, of those that bearer packets come to
};

class Netd {
 public:
  virtual ~Netd() = default;

  // Creates or adopts the interface and brings it to its configuration: key, listen port, addresses, MTU, link up,
  // rules, the firewall before all; for the side interface also all authorised peers; for the production interface the
  // routes of the sessions. What stands there already and matches is left as it is, what has gone or was changed is put
  // back: so this is what heals, too. Costs a dump.
  virtual base::Result<InterfaceReport> bring_up(Interface which) = 0;
  // What the calls of bring_up() have found since the last time; none from the first of each interface.
  [[nodiscard]] virtual std::vector<Drift> take_drift() = 0;

  // Becomes readable when something may have happened to the interfaces, routes or rules from outside. Always the same
  // descriptor; level-triggered.
  [[nodiscard]] virtual int event_fd() const = 0;
  // Call it when event_fd() is readable; never blocks. The interfaces that want bring_up(): deleted, renamed, set down,
  // robbed of addresses or routes, or their process ended.
  [[nodiscard]] virtual std::vector<Interface> interfaces_to_heal() = 0;

  // The authorised peers that stand on the production interface with the allowed IPs that they are to have. No dump.
  [[nodiscard]] virtual base::Result<std::vector<PeerIndex>> installed_peers() = 0;

  // kNotFound: no such peer, or the interface is not up (bring_up() it). kConflict: another peer holds one of the
  // allowed IPs (it is named), or the endpoint is reached through the tunnel itself. A failure leaves what was there
  // before, and nothing else.
  virtual base::Result<Presence> install(const InstallRequest& request) = 0;
  // Routes first. A peer that is not there is fine.
  virtual base::Status remove(PeerIndex peer) = 0;
  // What is for the client goes to that server of our own group, for as long as the server is installed; none: to the
  // client itself, as far as it is installed. The same does install() of the client with routes. kPermission: that is
  // no server of our group, or the client is one.
  virtual base::Status carry(PeerIndex client, std::optional<PeerIndex> server) = 0;
  // As told by carry(), and as an earlier process left it.
  [[nodiscard]] virtual base::Result<std::vector<Carried>> carried() = 0;
  // Ends a keepalive that install() switched on only to start the handshake.
  virtual base::Status handshake_done(PeerIndex peer) = 0;

  [[nodiscard]] virtual base::Result<std::vector<PeerReport>> report(Interface which) = 0;
  // One peer; may cost a dump of the device.
  [[nodiscard]] virtual base::Result<std::optional<PeerReport>> report(Interface which, PeerIndex peer) = 0;

  virtual base::Status set_side_endpoint(PeerIndex peer, const model::Endpoint& endpoint) = 0;

  // What the links show that are not ours: where this host is; nothing where nowhere is home. A gateway's MAC address
  // that is not known yet is asked for, and known at a later look.
  [[nodiscard]] virtual base::Result<std::vector<model::Sighting>> look_around() = 0;
  // Becomes readable when addresses or default routes of such links came or went, until look_around(). Always the same
  // descriptor; interfaces_to_heal() is what notices it.
  [[nodiscard]] virtual int surroundings_fd() const = 0;

  // Whether a packet of ours that bears a tunnel has a way to there that is not a tunnel of ours: kUnreachable if not.
  // The daemon's own packets may take other ways, with routes and rules of their own.
  [[nodiscard]] virtual base::Status check_bearer_way(const model::IpAddress& destination) = 0;

  // A receive buffer for 10,000 datagrams that come at once: more than the system allows everybody.
  virtual base::Status widen_receive_buffer(int datagram_socket) = 0;

  [[nodiscard]] virtual base::Result<FirewallReport> firewall_report() = 0;
  // Our table in nftables' own words; empty: there is none.
  [[nodiscard]] virtual base::Result<std::string> firewall_rules() = 0;
  // By the administrator: it stands, or does not, until the other one is called or the end, whatever is configured.
  virtual base::Status apply_firewall() = 0;
  virtual base::Status remove_firewall() = 0;

  // Takes away all that is ours: sessions, routes, rules, addresses, and the interfaces that we created. Goes on after
  // a failure and tells the first one.
  virtual base::Status tear_down() = 0;
};

// The keys of a host that was invited, and the proof that whoever has the invitation wants them.
struct Newcomer {
  crypto::ProductionPublicKey public_key;
  crypto::SidePublicKey side_public_key;
  crypto::Proof proof{};
  bool operator==(const Newcomer&) const = default;
};

// The authorised set as it was read again, and is in force already.
struct Reloaded {
  std::vector<model::Peer> peers;
  roaming::Settings roaming;
  model::Hosts hosts;
  // Which sections of the configuration differ and need a restart: "name", "[production]", "[side]",
  // "[companion]", "[control]".
  std::vector<std::string> restart_needed;
  base::Status applied;  // what of it could not be done on the interfaces
};

// Reads the configuration again: whoever may read the key files.
class PeerSource {
 public:
  virtual ~PeerSource() = default;

  // Makes a host that was invited a peer, in the configuration's files; a reload puts it into force. INVITATION is the
  // peer with the one-time keys. The same host again is fine. kPermission: that is no invitation, or it has expired, or
  // the proof is not that of whoever has it. kExists: another host has joined by it, or has one of the keys.
  virtual base::Status enrol(PeerIndex invitation, const Newcomer& newcomer) = 0;

  // In the background, as it may take seconds. kBusy: one is under way.
  virtual base::Status begin_reload() = 0;
  // Becomes readable when all is read. Always the same descriptor.
  [[nodiscard]] virtual int reload_fd() const = 0;
  // Then: puts what was read into force. An error, in the words of the configuration's reader, changes nothing. kBusy:
  // it is not read yet.
  virtual base::Result<Reloaded> take_reload() = 0;
};

}  // namespace anubis::netd

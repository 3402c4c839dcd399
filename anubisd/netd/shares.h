// Who has which allowed IPs, where peers share some. Two kinds do:
//
// - Peers of one group, of which this host uses one at a time: what several of them may have, the one has that was
//   brought up with routes last. When it goes, the one before has it again.
// - A client that is with another server of our own group: that server has what is the client's.
//
// Pure: WireGuard and the routes follow by ProductionPeers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "lib/model/directory.h"
#include "lib/model/ip.h"

namespace anubis::netd {

using model::PeerIndex;

class Shares {
 public:
  explicit Shares(const model::PeerDirectory& directory) : directory_(directory) {}

  // What enter() changes, to put it back.
  struct Before {
    std::optional<std::uint64_t> claim;
    std::optional<PeerIndex> server;
  };
  enum class Claim : std::uint8_t {
    kNone,   // only what no other of its group has
    kKeeps,  // what it may have, unless it was there before and has lost some of it since
    kTakes,  // what it may have
  };
  // The peer stands on the interface from now on. With a claim it is here, and no longer with another server.
  Before enter(PeerIndex peer, Claim claim);
  void restore(PeerIndex peer, const Before& before);
  void leave(PeerIndex peer);
  // Forgets who stands there. Who is with whom stays.
  void clear() { claims_.clear(); }

  // The client is with this other server of our group; none: with nobody that we know of.
  void carry(PeerIndex client, std::optional<PeerIndex> server);
  [[nodiscard]] const std::map<PeerIndex, PeerIndex>& carried() const { return servers_; }
  [[nodiscard]] std::optional<PeerIndex> server_of(PeerIndex client) const;

  // What the peer is to have, if it stands there.
  [[nodiscard]] std::vector<model::IpPrefix> allowed_ips(PeerIndex peer) const;
  [[nodiscard]] bool are_fellows(PeerIndex a, PeerIndex b) const;
  // Those whose allowed IPs may be others when this peer comes, goes or changes its server.
  [[nodiscard]] std::vector<PeerIndex> concerned(PeerIndex peer) const;

 private:
  const model::PeerDirectory& directory_;
  // Of those that stand there and are in a group. The greatest has what several may have; 0: without a claim.
  std::map<PeerIndex, std::uint64_t> claims_;
  std::uint64_t last_claim_ = 0;
  std::map<PeerIndex, PeerIndex> servers_;  // by client
};

}  // namespace anubis::netd

// Keeps the side tunnels pointed at the right addresses where the configuration gives names: at start, when there may
// be no name server yet, and when a name comes to mean another address.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "anubisd/netd/netd.h"
#include "anubisd/peer_ports.h"
#include "anubisd/resolver.h"
#include "anubisd/timer.h"
#include "lib/base/random.h"
#include "lib/model/directory.h"

namespace anubis::daemon {

class SideEndpoints {
 public:
  // found: the peer's side tunnel has an endpoint for the first time.
  SideEndpoints(Loop& loop, const model::PeerDirectory& directory, netd::Netd& netd, PeerPorts& ports,
                Resolver& resolver, base::Random& random, std::function<void(model::PeerIndex)> found);

  // A peer that is new or has changed. Does nothing unless its side endpoint is a name: netd sets addresses itself.
  void follow(model::PeerIndex peer);
  void forget(model::PeerIndex peer);
  // What an earlier daemon left: the ports over which side tunnels work.
  void adopt_ports();
  // Nothing comes back from there, although the same was sent so often. At the third time the side tunnel shakes hands
  // anew, if it is known where, and the name server is asked whether that is still so. After that, as long as no
  // handshake comes of it, the peer's other ports are tried in turn.
  void unheard(model::PeerIndex peer, unsigned times);
  // The host's network is another one: what was tried in vain says nothing of it.
  void network_changed();

 private:
  struct Followed {
    std::optional<model::IpAddress> address;  // as it was set last
    base::Duration retry_after{0};            // of the last failure
    std::optional<base::Time> due;            // none: being resolved
  };

  void renew(model::PeerIndex peer);
  [[nodiscard]] bool has_shaken_hands(model::PeerIndex peer);
  [[nodiscard]] std::optional<model::Endpoint> known(model::PeerIndex peer) const;
  void schedule(model::PeerIndex peer, Followed& followed, base::Duration after);
  void arm();
  void wake();
  void resolve(model::PeerIndex peer);
  void resolved(model::PeerIndex peer, const model::HostPort& asked, base::Result<model::IpAddress> address);
  base::Status set(model::PeerIndex peer, const model::Endpoint& endpoint);

  const model::PeerDirectory& directory_;
  netd::Netd& netd_;
  PeerPorts& ports_;
  Resolver& resolver_;
  base::Random& random_;
  std::function<void(model::PeerIndex)> found_;
  std::unordered_map<model::PeerIndex, Followed> followed_;
  std::set<std::pair<base::Time, model::PeerIndex>> queue_;
  Timer timer_;
};

}  // namespace anubis::daemon

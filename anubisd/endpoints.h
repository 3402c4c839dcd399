// Where the peers' production interfaces are: as configured, as resolved, or, for a roamer, where its side tunnel was
// last heard.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>

#include "anubisd/netd/netd.h"
#include "anubisd/resolver.h"
#include "lib/base/result.h"
#include "lib/model/directory.h"

namespace anubis::daemon {

class Endpoints {
 public:
  Endpoints(const model::PeerDirectory& directory, netd::Netd& netd, Resolver& resolver)
      : directory_(directory), netd_(netd), resolver_(resolver) {}

  using Answer = std::function<void(base::Result<model::Endpoint>)>;
  // Resolves a name anew. A roamer's port is 0: it tells its own. A literal answers before this returns.
  void find(model::PeerIndex peer, Answer answer);

  // The same without waiting: a name as it was resolved last. told_port: the peer's production listen port in its own
  // words; 0: not known, and then a roamer has none.
  [[nodiscard]] std::optional<model::Endpoint> known(model::PeerIndex peer, std::uint16_t told_port);

  // The peer's configuration changed, or the peer is gone.
  void forget(model::PeerIndex peer) { resolved_.erase(peer); }

 private:
  [[nodiscard]] std::optional<netd::PeerReport> side_report(model::PeerIndex peer);
  [[nodiscard]] base::Result<model::Endpoint> of_roamer(model::PeerIndex peer, const model::Peer& configured);
  [[nodiscard]] base::Result<model::Endpoint> take_resolved(model::PeerIndex peer, const model::HostPort& asked,
                                                            base::Result<model::IpAddress> address);

  const model::PeerDirectory& directory_;
  netd::Netd& netd_;
  Resolver& resolver_;
  std::unordered_map<model::PeerIndex, model::IpAddress> resolved_;
};

}  // namespace anubis::daemon

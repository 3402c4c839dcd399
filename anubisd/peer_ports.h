// Which port the bearer packets of a peer go to: the configured one, or, where networks on the way drop that, one of
// the peer's endpoint_ports, which the production interface then uses as well as the side interface. Remembered as long
// as the daemon runs; another one finds it on the side interface (adopt()). Knows nothing of sockets and of time.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "lib/model/directory.h"
#include "lib/model/endpoint.h"

namespace anubis::daemon {

class PeerPorts {
 public:
  explicit PeerPorts(const model::PeerDirectory& directory) : directory_(directory) {}

  // One of endpoint_ports; none: the configured ports are used.
  [[nodiscard]] std::optional<std::uint16_t> further(model::PeerIndex peer) const;
  // An endpoint as configured, with the port that is used now.
  [[nodiscard]] model::Endpoint over_port_in_use(model::PeerIndex peer, model::Endpoint configured) const;

  // Nothing comes back: the next one, in turn. First of all comes the one that worked last, then the configured one.
  // False: there is no other.
  bool try_next(model::PeerIndex peer);
  // An answer came over the port in use. True: after another had been tried in vain.
  bool works(model::PeerIndex peer);
  // To the one that worked last. True: that is another one than that in use.
  bool begin_again(model::PeerIndex peer);
  // An earlier daemon left the side tunnel there.
  void adopt(model::PeerIndex peer, std::uint16_t port);
  void forget(model::PeerIndex peer) { choices_.erase(peer); }

  // Those for which another port than the configured one has ever been tried.
  [[nodiscard]] std::vector<model::PeerIndex> changed() const;

 private:
  using Port = std::optional<std::uint16_t>;  // none: the configured one
  struct Choice {
    Port in_use;
    Port worked;
    bool is_tried = false;  // in_use is, and nothing has come back yet
  };

  const model::PeerDirectory& directory_;
  std::unordered_map<model::PeerIndex, Choice> choices_;  // of those with endpoint_ports that have left the first one
};

}  // namespace anubis::daemon

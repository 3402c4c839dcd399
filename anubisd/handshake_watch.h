// Looks until WireGuard has shaken hands with a peer on the production interface: no event tells of it.
#pragma once

#include <functional>
#include <unordered_map>

#include "anubisd/netd/netd.h"
#include "anubisd/timer.h"
#include "lib/gate/action.h"

namespace anubis::daemon {

class HandshakeWatch {
 public:
  using Seen = std::function<void(model::PeerIndex, gate::Ticket)>;
  HandshakeWatch(Loop& loop, netd::Netd& netd, Seen seen) : netd_(netd), seen_(std::move(seen)), timer_(loop) {}

  void start(model::PeerIndex peer, gate::Ticket ticket);
  void stop(model::PeerIndex peer);

 private:
  void poll();
  [[nodiscard]] base::Result<std::vector<netd::PeerReport>> look();

  netd::Netd& netd_;
  Seen seen_;
  std::unordered_map<model::PeerIndex, gate::Ticket> watched_;
  unsigned polls_ = 0;  // since there was nothing to watch
  base::Duration interval_{0};
  Timer timer_;
};

}  // namespace anubis::daemon

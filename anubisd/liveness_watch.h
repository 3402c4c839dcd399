// Tells the gatekeeper every few seconds what WireGuard has heard of the sessions that are up: no event does.
#pragma once

#include "anubisd/executor.h"
#include "anubisd/netd/netd.h"
#include "anubisd/timer.h"
#include "lib/gate/gatekeeper.h"

namespace anubis::daemon {

class LivenessWatch {
 public:
  // All must outlive it.
  LivenessWatch(Loop& loop, netd::Netd& netd, gate::Gatekeeper& gatekeeper, Executor& executor)
      : netd_(netd), gatekeeper_(gatekeeper), executor_(executor), timer_(loop) {}

  // Something may be up now. Ends by itself when nothing is any more.
  void start();

 private:
  void look();

  netd::Netd& netd_;
  gate::Gatekeeper& gatekeeper_;
  Executor& executor_;
  Timer timer_;
};

}  // namespace anubis::daemon

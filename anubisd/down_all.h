// Takes all sessions down, many at a time but not all at once: each costs a blocking call or two.
#pragma once

#include <functional>

#include "anubisd/executor.h"
#include "anubisd/pending_commands.h"
#include "lib/gate/gatekeeper.h"
#include "lib/model/directory.h"

namespace anubis::daemon {

struct DownAllProgress {
  std::size_t done = 0;
  std::size_t total = 0;
};

struct DownAllListener {
  // After each peer.
  std::function<void(const DownAllProgress&, const gate::FinishCommand&)> each;
  // Once, at the end; perhaps before down_all() returns.
  std::function<void(const DownAllProgress&)> all;
};

// The parts must live until `all` has been called, or the loop runs no more.
void down_all(gate::Gatekeeper& gatekeeper, Executor& executor, PendingCommands& pending,
              const model::PeerDirectory& directory, base::Duration timeout, DownAllListener listener);

}  // namespace anubis::daemon

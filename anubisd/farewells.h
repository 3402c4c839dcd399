// Ends all sessions, and tells every peer at once: none waits until another has answered. A few at a time are taken
// down here, as each costs a blocking call or two, and in between the loop goes on.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "anubisd/executor.h"
#include "anubisd/loop.h"
#include "anubisd/pending_commands.h"
#include "lib/gate/gatekeeper.h"

namespace anubis::daemon {

struct FarewellProgress {
  std::size_t done = 0;
  std::size_t total = 0;
};

struct Farewells {
  Loop& loop;
  gate::Gatekeeper& gatekeeper;
  Executor& executor;
  PendingCommands& pending;
  const model::PeerDirectory& directory;

  // Which ones.
  std::function<bool(const gate::SessionView&)> concerns = {};
  std::optional<model::PeerIndex> except = {};
  // Has the gatekeeper end one of them.
  std::function<void(gate::CommandId, model::PeerIndex, base::Time)> end = {};
  // After each peer.
  std::function<void(const FarewellProgress&, const gate::FinishCommand&)> each = {};
  // Once, at the end; perhaps before say_farewell() returns.
  std::function<void(const FarewellProgress&)> all = {};
};

// Whether there is anything to end, here or at the other end.
[[nodiscard]] bool is_going_on(const gate::SessionView& session);

// The parts must live until `all` has been called, or the loop runs no more.
void say_farewell(Farewells farewells);

}  // namespace anubis::daemon

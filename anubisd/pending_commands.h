// Who waits for which command of the gatekeeper.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>

#include "lib/gate/action.h"

namespace anubis::daemon {

class PendingCommands {
 public:
  using Finished = std::function<void(const gate::FinishCommand&)>;

  // The id to give to the gatekeeper.
  [[nodiscard]] gate::CommandId expect(Finished finished) {
    const gate::CommandId id{++last_};
    waiting_.emplace(id, std::move(finished));
    return id;
  }

  void finished(const gate::FinishCommand& command) {
    const auto node = waiting_.extract(command.command);
    if (!node.empty()) node.mapped()(command);
  }

 private:
  std::uint64_t last_ = 0;
  std::unordered_map<gate::CommandId, Finished> waiting_;
};

}  // namespace anubis::daemon

#include "tests/fuzz/gate_fixture.h"

#include <type_traits>
#include <variant>

namespace anubis::fuzz {
namespace {

// The bits of an outcome.
constexpr std::uint8_t kInstallFails = 1;
constexpr std::uint8_t kFound = 2;
constexpr std::uint8_t kRemoveFails = 4;
constexpr std::uint8_t kNoHandshake = 8;
constexpr std::uint8_t kUnresolved = 16;
constexpr std::uint8_t kConflict = 32;

}  // namespace

void Gate::execute(std::uint8_t outcome) {
  const auto failure = base::Error{(outcome & kConflict) != 0 ? base::ErrorCode::kConflict : base::ErrorCode::kInternal,
                                   "it could not be done"};
  const auto carry_out = [&](auto& action) {
    using Action = std::decay_t<decltype(action)>;
    if constexpr (std::is_same_v<Action, gate::SendDatagram>) {
      sent.push_back(std::move(action.bytes));
    } else if constexpr (std::is_same_v<Action, gate::AnswerCompanion>) {
      sent.push_back(std::move(action.bytes));
    } else if constexpr (std::is_same_v<Action, gate::FinishCommand>) {
      finished.push_back(std::move(action));
    } else if constexpr (std::is_same_v<Action, gate::ResolveEndpoint>) {
      base::Result<model::Endpoint> endpoint = model::Endpoint{*model::IpAddress::parse("192.0.2.1"), 4296};
      if ((outcome & kUnresolved) != 0) endpoint = base::fail(failure);
      gatekeeper.resolved(action.peer, action.ticket, std::move(endpoint), now);
    } else if constexpr (std::is_same_v<Action, gate::InstallPeer>) {
      base::Result<gate::Installed> result = gate::Installed{};
      if ((outcome & kFound) != 0) result->presence = wire::PeerPresence::kFound;
      if ((outcome & kInstallFails) != 0) result = base::fail(failure);
      gatekeeper.installed(action.peer, action.ticket, std::move(result), now);
    } else if constexpr (std::is_same_v<Action, gate::RemovePeer>) {
      base::Status result;
      if ((outcome & kRemoveFails) != 0) result = base::fail(failure);
      gatekeeper.removed(action.peer, action.ticket, std::move(result), now);
    } else if constexpr (std::is_same_v<Action, gate::EnrolPeer>) {
      base::Status result;
      if ((outcome & kInstallFails) != 0) result = base::fail(failure);
      gatekeeper.enrolled(action.peer, action.ticket, result, now);
    } else if constexpr (std::is_same_v<Action, gate::WatchHandshake>) {
      if ((outcome & kNoHandshake) == 0) gatekeeper.handshake_seen(action.peer, action.ticket, now);
    }
  };
  for (auto actions = gatekeeper.take_actions(); !actions.empty(); actions = gatekeeper.take_actions()) {
    for (auto& action : actions) std::visit(carry_out, action);
  }
}

void Gate::pass(base::Duration duration, std::uint8_t outcome) {
  const base::Time until = now + duration;
  while (gatekeeper.next_timer() && *gatekeeper.next_timer() <= until) {
    const base::Time due = std::max(now, *gatekeeper.next_timer());
    now = due;
    gatekeeper.advance(now);
    execute(outcome);
    require(!gatekeeper.next_timer() || *gatekeeper.next_timer() > due, "what was due is done");
  }
  now = until;
}

}  // namespace anubis::fuzz

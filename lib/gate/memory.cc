// What outlives the process, and what the next one makes of it (docs/decisions/0013).
#include <chrono>
#include <utility>

#include "lib/gate/gatekeeper.h"

namespace anubis::gate {

using base::Time;

void Gatekeeper::remember(PeerIndex peer, Session& with) {
  // A removal that has been accepted is done, even if we are killed before it is.
  const bool ending = with.responder.pending && with.responder.pending->is_removal;
  const bool up = with.state == SessionState::kUp && !ending;
  const bool unsettled = !up && (with.peer_may_be_up || with.state == SessionState::kGoingDown);
  const bool wished = with.wish && (up || is_tried_again(*with.wish));
  std::optional<Remembered> facts;
  if (up || unsettled || wished || ending) {
    facts.emplace();
    facts->up = up;
    facts->peer_may_be_up = unsettled;
    if (unsettled && with.exchange) {
      const auto operation = with.exchange->operation;
      facts->down_for_good =
          operation == wire::Operation::kDown || (operation == wire::Operation::kBye && with.farewell.for_good);
    }
    if (up) {
      facts->renewing = with.exchange && with.exchange->operation == wire::Operation::kRenew;
      facts->since = with.since;
      facts->lease_end = with.lease_end;
    }
    if (wished) facts->wish = with.wish;
  }
  if (facts == with.remembered) return;
  with.remembered = facts;
  emit(RememberSession{peer, facts});
}

void Gatekeeper::resume(PeerIndex peer, const std::optional<Remembered>& remembered, bool is_installed, Time now) {
  Session& with = session(peer);
  with.remembered = remembered;
  if (remembered) with.wish = remembered->wish;
  if (is_installed && (!remembered || remembered->up)) {
    if (remembered) {
      with.lease_end = remembered->lease_end;
    } else if (const auto lease = directory_.get(peer)->lease) {
      with.lease_end = now + *lease;
    }
    set_state(peer, with, SessionState::kUp, {}, now);
    if (remembered) with.since = remembered->since;
    // Nothing remembered: it was going up when the process before ended, and who knows with which preshared key.
    if (!remembered || remembered->renewing) ask(peer, with, wire::Operation::kRenew, now);
    return reschedule(peer, with, now);
  }
  if (is_installed) remove_from_interface(peer);
  if (with.wish && is_tried_again(*with.wish)) {
    with.retry_at = now;  // what there is of it at the other end is begun anew by that
    with.peer_may_be_up = remembered->up || remembered->peer_may_be_up;
  } else if (remembered && (remembered->up || remembered->peer_may_be_up)) {
    // What is up was the other end's wish, and its peer has gone from here: a bye leaves it the wish.
    with.peer_may_be_up = true;
    ask(peer, with, remembered->down_for_good ? wire::Operation::kDown : wire::Operation::kBye, now);
  }
  reschedule(peer, with, now);
}

}  // namespace anubis::gate

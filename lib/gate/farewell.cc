// Ending a session, from both ends: down, which ends the other end's wish as well, and bye, by which a host that leaves
// takes its leave (docs/protocol.md, 9.5).
#include <algorithm>
#include <utility>

#include "lib/gate/gatekeeper.h"

namespace anubis::gate {
namespace {

using base::Time;
using wire::Operation;

bool is_farewell(Operation operation) { return operation == Operation::kDown || operation == Operation::kBye; }

}  // namespace

// --- the end that asks -----------------------------------------------------------------------------------------------

void Gatekeeper::down(CommandId command, PeerIndex peer, base::Duration timeout, Time now) {
  leave_session(command, peer, Operation::kDown, timeout, now);
}

void Gatekeeper::bye(CommandId command, PeerIndex peer, const Farewell& farewell, base::Duration timeout, Time now) {
  session(peer).farewell = farewell;
  leave_session(command, peer, Operation::kBye, timeout, now);
}

void Gatekeeper::leave_session(CommandId command, PeerIndex peer, Operation operation, base::Duration timeout,
                               Time now) {
  Session& with = session(peer);
  const bool keeps_wish = operation == Operation::kBye && !with.farewell.for_good && !with.farewell.successor;
  const bool ends_wish = with.wish.has_value() && !keeps_wish;
  if (ends_wish) with.wish.reset();
  if (is_down(with.state) && !with.peer_may_be_up) {
    set_state(peer, with, SessionState::kDown, {}, now);
    std::vector<CommandId> commands{command};
    finish(peer, commands, {.was_so_already = !ends_wish});
    return reschedule(peer, with, now);
  }
  if (with.down_waiting.size() >= settings_.limits.waiting_commands) return turn_away(command, peer);
  if (with.attempt) {
    finish(peer, with.attempt->waiting,
           {.verdict = Verdict::kSuperseded, .text = "it was taken down by a later command"});
    with.attempt.reset();
  }
  if (with.down_waiting.empty()) with.down_started = now;
  with.down_waiting.push_back(command);
  with.down_deadline = std::max(with.down_deadline.value_or(now), now + timeout);
  if (with.state != SessionState::kGoingDown) {
    begin_down(peer, with, operation, {}, now);
  } else if (operation == Operation::kDown && with.exchange && with.exchange->operation == Operation::kBye) {
    ask(peer, with, operation, now);  // it is meant for good now
  }
  reschedule(peer, with, now);
}

void Gatekeeper::begin_down(PeerIndex peer, Session& with, Operation operation, std::string reason, Time now) {
  with.lease_end.reset();
  with.peer_may_be_up = true;
  with.exchange.reset();
  with.down_reason = std::move(reason);
  void_token(with);
  set_state(peer, with, SessionState::kGoingDown, {}, now);
  with.awaited = new_ticket();
  emit(RemovePeer{peer, *with.awaited});
  ask(peer, with, operation, now);
}

void Gatekeeper::take_down_reply(PeerIndex peer, Session& with, const wire::Reply& reply, Time now) {
  with.peer_may_be_up = false;
  if (reply.result != wire::ResultCode::kOk) {
    finish(peer, with.down_waiting,
           {.verdict = Verdict::kRefused, .code = reply.result, .text = reply.text, .took = now - with.down_started});
  }
  if (with.state == SessionState::kDown) set_state(peer, with, SessionState::kDown, {}, now);
  finish_down_if_complete(peer, with, now);
}

void Gatekeeper::finish_down_if_complete(PeerIndex peer, Session& with, Time now) {
  if (with.state != SessionState::kGoingDown || with.awaited || with.exchange) return;
  void_token(with);  // an up that crossed our down must not be accepted now that it is done
  with.down_deadline.reset();
  finish(peer, with.down_waiting, {.took = now - with.down_started});
  set_state(peer, with, SessionState::kDown, std::exchange(with.down_reason, {}), now);
}

// Whatever we still wanted to take down is wanted again.
void Gatekeeper::abandon_down(PeerIndex peer, Session& with, std::string why) {
  if (with.exchange && is_farewell(with.exchange->operation)) with.exchange.reset();
  with.awaited.reset();
  with.down_deadline.reset();
  with.peer_may_be_up = false;
  finish(peer, with.down_waiting, {.verdict = Verdict::kSuperseded, .text = std::move(why)});
}

// --- the end that is asked -------------------------------------------------------------------------------------------

void Gatekeeper::carry_out_down(PeerIndex peer, Session& with, const wire::Request& request,
                                const Responder::ReplyTo& to, Time now) {
  std::string reason = "taken down by the peer";
  with.successor.reset();
  if (request.operation == Operation::kBye) {
    reason = "the peer has left";
    const std::string& group = directory_.get(peer)->group;
    const auto successor = request.successor ? directory_.find(*request.successor) : std::nullopt;
    if (successor && *successor != peer && !group.empty() && directory_.get(*successor)->group == group) {
      with.successor = successor;
      reason = "the peer sent us to " + directory_.get(*successor)->name;
    }
  }
  if (request.operation == Operation::kDown || request.for_good) with.wish.reset();
  with.failures = 0;
  with.lease_end.reset();
  with.responder.pending =
      Responder::Pending{.ticket = new_ticket(), .reply_to = to, .is_removal = true, .reason = std::move(reason)};
  emit(RemovePeer{peer, with.responder.pending->ticket});
  // A down of our own ends by its own reply alone: until then an up that we sent before may still be accepted.
  if (with.exchange && is_farewell(with.exchange->operation)) return;

  with.exchange.reset();
  // Somebody waits here for a peer that was away: he is served when it is back (responder_removed).
  const bool goes_on = with.attempt && request.operation == Operation::kBye && !request.for_good && !with.successor;
  const bool may_be_accepted_yet = with.attempt && with.peer_may_be_up && !goes_on;
  with.peer_may_be_up = may_be_accepted_yet;
  if (goes_on) {
    with.awaited.reset();
  } else if (with.attempt) {
    finish(peer, with.attempt->waiting, {.verdict = Verdict::kSuperseded, .text = "the peer took it down"});
    with.attempt.reset();
    with.awaited.reset();
  }
  if (may_be_accepted_yet) ask(peer, with, Operation::kDown, now);
}

void Gatekeeper::responder_removed(PeerIndex peer, Session& with, const base::Status& result, Time now) {
  Responder::Pending done = std::move(*with.responder.pending);
  with.responder.pending.reset();
  wire::Reply reply;
  if (!result) reply = {.result = wire::ResultCode::kInternal, .text = result.error().message};
  if (with.state != SessionState::kGoingDown) {
    const bool was_there = with.state == SessionState::kUp || with.state == SessionState::kGoingUp;
    if (!result) {
      set_state(peer, with, SessionState::kFailed, result.error().message, now);
    } else {
      set_state(peer, with, SessionState::kDown, was_there ? std::move(done.reason) : "", now);
    }
  }
  answer_accepted(peer, with, done.reply_to, std::move(reply), now);
  if (with.attempt && !with.exchange) return begin_up(peer, with, now);
  if (!with.successor && is_down(with.state)) fail_over(peer, with, now);
  follow_successor(with, now);
}

void Gatekeeper::follow_successor(Session& with, Time now) {
  const auto successor = std::exchange(with.successor, std::nullopt);
  if (!successor) return;
  Wish wish = std::exchange(with.wish, std::nullopt).value_or(Wish{});
  wish.fulfilled = true;
  Session& next = session(*successor);
  if (!next.wish) next.wish = wish;
  next.retry_at = now;
  reschedule(*successor, next, now);
}

}  // namespace anubis::gate

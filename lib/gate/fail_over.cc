// Of the servers of a group a client uses one at a time. It goes from one to another when its user says so (switch), or
// when the one in use is not heard any more and may be replaced (fail_over = true): make before break, so that what was
// open stays open.
//
// A server is given up when it owes an answer on the production interface for some seconds and does not give one over
// the side tunnel either. Whoever was given up is shunned for a while, the longer the more often it happened: two
// servers that come and go do not make their clients run to and fro. The client comes back when it is told to, or, with
// fail_back, when the first has been well for so long.
#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "lib/gate/gatekeeper.h"

namespace anubis::gate {
namespace {

using namespace std::chrono_literals;
using base::Duration;
using base::Time;

// Data is answered by data, or by a keepalive within 10 s: silence alone proves nothing so early, but is worth a
// question over the side tunnel.
constexpr Duration kHasty = 3s;
// On a link on which nobody speaks the question is all that can find out.
constexpr Duration kIdleLook = 15s;
constexpr Duration kLookAgain = 10s;
// Sent five times by then.
constexpr Duration kAnswerWithin = 5s;
// The side tunnel answers, but this tunnel carries nothing: past what WireGuard itself needs to notice.
constexpr Duration kCarriesNothing = 20s;

constexpr Duration kTimeout = 6s;     // for each that is tried instead
constexpr Duration kNextRound = 10s;  // when none of them answered
constexpr Duration kShun = 30s;       // twice as long each time
constexpr Duration kLongestShun = 5min;
constexpr Duration kProbe = 30s;
constexpr Duration kLeaveTimeout = 10s;

}  // namespace

bool Gatekeeper::are_of_one_group(PeerIndex a, PeerIndex b) const {
  const model::Peer* const one = directory_.get(a);
  const model::Peer* const other = directory_.get(b);
  return a != b && one != nullptr && other != nullptr && !one->group.empty() && one->group == other->group;
}

std::vector<PeerIndex> Gatekeeper::others_in_use(PeerIndex peer) const {
  std::vector<PeerIndex> others;
  for (const auto& [other, with] : sessions_) {
    const bool in_use = with.wish || with.attempt || !is_down(with.state);
    if (in_use && are_of_one_group(peer, other)) others.push_back(other);
  }
  return others;
}

// --- from one to another ---------------------------------------------------------------------------------------------

// Its wish is what was wished of the others.
void Gatekeeper::take_over_group(PeerIndex peer, Attempt& attempt) {
  attempt.leaves_others = true;
  for (const PeerIndex other : others_in_use(peer)) {
    const Session& with = sessions_.at(other);
    attempt.takes_over = attempt.takes_over || with.state == SessionState::kUp;
    if (!with.wish) continue;
    attempt.wish.insistence = std::max(attempt.wish.insistence, with.wish->insistence);
    if (!attempt.wish.until) attempt.wish.until = with.wish->until;
    if (!attempt.wish.lease) attempt.wish.lease = with.wish->lease;
  }
}

void Gatekeeper::came_up(PeerIndex peer, Session& with, Time now) {
  const auto lost = with.attempt->instead_of;
  void_token(with);  // a down that the peer sent before it accepted our up must not hit the session now
  FailOver& server = with.fail_over;
  server = {.last_tried = {}, .shunned_until = server.shunned_until, .given_up = server.given_up, .came_from = {}};
  std::string reason;
  if (const model::Peer* const before = lost ? directory_.get(*lost) : nullptr) {
    reason = "in place of " + before->name + ", which was not heard any more";
    if (before->fail_back) {
      server.came_from = lost;
      server.probe_at = now + kProbe;
    }
  }
  set_state(peer, with, SessionState::kUp, std::move(reason), now);
  fulfilled(peer, with, now);
  end_attempt(peer, with, {}, now);
}

void Gatekeeper::leave_others(PeerIndex peer, Time now) {
  for (const PeerIndex other : others_in_use(peer)) {
    Session& with = sessions_.at(other);
    with.wish.reset();
    with.fail_over.came_from.reset();
    with.fail_over.last_tried.reset();
    if (with.attempt) {
      finish(other, with.attempt->waiting,
             {.verdict = Verdict::kSuperseded, .text = "it was switched to " + directory_.get(peer)->name});
      with.attempt.reset();
    }
    if (!is_down(with.state)) {
      begin_down(other, with, wire::Operation::kDown, "switched to " + directory_.get(peer)->name, now);
      with.down_deadline = now + kLeaveTimeout;
      with.down_started = now;
    }
    reschedule(other, with, now);
  }
}

// --- is it still there? ----------------------------------------------------------------------------------------------

bool Gatekeeper::may_fail_over(PeerIndex peer, const Session& with) const {
  return with.wish && is_tried_again(*with.wish) && !leaving_ && directory_.get(peer)->fails_over;
}

void Gatekeeper::watch_server(PeerIndex peer, Session& with, Time now) {
  FailOver& server = with.fail_over;
  if (!may_fail_over(peer, with) || with.attempt) {
    server.lost_at.reset();
    return;
  }
  const auto unanswered = with.liveness.unanswered_for(now);
  const Duration unheard = with.liveness.unheard_for(now);
  if (unheard < kHasty) server.lost_at.reset();
  if (unanswered && *unanswered >= kCarriesNothing) {
    server.lost_at = now;
  } else if (!server.lost_at && ((unanswered && *unanswered >= kHasty) || unheard >= kIdleLook) &&
             (!server.asked_at || *server.asked_at + kLookAgain <= now)) {
    server.asked_at = now;
    server.lost_at = now + kAnswerWithin;
    if (!is_asking(with)) ask(peer, with, wire::Operation::kStatus, now);
  }
}

void Gatekeeper::note_answer(Session& with, Time now) {
  FailOver& server = with.fail_over;
  const auto unanswered = with.liveness.unanswered_for(now);
  if (!unanswered || *unanswered < kCarriesNothing) server.lost_at.reset();
  if (!server.answers_since) server.answers_since = now;
}

void Gatekeeper::wake_fail_over(PeerIndex peer, Session& with, Time now) {
  if (with.fail_over.lost_at && *with.fail_over.lost_at <= now) fail_over(peer, with, now);
  if (with.fail_over.probe_at && *with.fail_over.probe_at <= now) look_whether_back(with, now);
}

// --- another instead -------------------------------------------------------------------------------------------------

// In the order of the configuration, from the one behind the one that was tried last.
std::optional<PeerIndex> Gatekeeper::next_of_group(PeerIndex peer, const Session& with, Time now) const {
  std::vector<PeerIndex> ring;
  directory_.for_each([&](PeerIndex other, const model::Peer&) {
    if (other == peer || are_of_one_group(peer, other)) ring.push_back(other);
  });
  const auto last = std::ranges::find(ring, with.fail_over.last_tried.value_or(peer));
  if (last != ring.end()) std::ranges::rotate(ring, last + 1);
  for (const PeerIndex other : ring) {
    if (other == peer) return std::nullopt;  // once around
    const auto found = sessions_.find(other);
    if (found == sessions_.end()) return other;
    const Session& candidate = found->second;
    const auto& shunned = candidate.fail_over.shunned_until;
    if (is_down(candidate.state) && !candidate.attempt && (!shunned || *shunned <= now)) return other;
  }
  return std::nullopt;
}

void Gatekeeper::fail_over(PeerIndex peer, Session& with, Time now) {
  FailOver& server = with.fail_over;
  server.lost_at.reset();
  if (!may_fail_over(peer, with)) return;
  if (with.state == SessionState::kUp && with.liveness.unheard_for(now) < kHasty) return;  // it is back
  server.answers_since.reset();
  const bool is_first = !server.last_tried;
  const auto next = next_of_group(peer, with, now);
  if (!next) {
    server.last_tried.reset();
    server.lost_at = now + kNextRound;
    return;
  }
  server.last_tried = next;
  if (is_first) {
    if (server.shunned_until && *server.shunned_until + kLongestShun < now) server.given_up = 0;
    server.shunned_until = now + std::min(kShun * (1u << std::min(server.given_up++, 4u)), kLongestShun);
  }
  if (!begin_instead_of(*next, peer, *with.wish, now)) server.lost_at = now + kNextRound;
}

// The one that was tried instead did not help, or the one that is wished could not be had back.
void Gatekeeper::try_next_server(PeerIndex peer, Session& with, const Attempt& failed, Verdict why, Time now) {
  if (why == Verdict::kLocal || why == Verdict::kSuperseded) return;
  if (!failed.instead_of) return fail_over(peer, with, now);
  const auto lost = sessions_.find(*failed.instead_of);
  if (lost == sessions_.end()) return;
  fail_over(*failed.instead_of, lost->second, now);
  reschedule(*failed.instead_of, lost->second, now);
}

bool Gatekeeper::begin_instead_of(PeerIndex peer, PeerIndex lost, const Wish& wish, Time now) {
  Session& with = session(peer);
  if (with.attempt) return false;
  with.attempt = Attempt{.started = now,
                         .deadline = now + kTimeout,
                         .wish = wish,
                         .waiting = {},
                         .leaves_others = true,
                         .instead_of = lost};
  take_over_group(peer, *with.attempt);
  begin_up(peer, with, now);
  reschedule(peer, with, now);
  return true;
}

// The one that we came from is asked now and then. When it has answered for long enough, we go back.
void Gatekeeper::look_whether_back(Session& with, Time now) {
  with.fail_over.probe_at.reset();
  const auto from = with.fail_over.came_from;
  const model::Peer* const server = from ? directory_.get(*from) : nullptr;
  if (server == nullptr || !server->fail_back || !with.wish || with.state != SessionState::kUp) return;
  with.fail_over.probe_at = now + kProbe;
  Session& old = session(*from);
  if (old.exchange) {
    old.fail_over.answers_since.reset();  // what it was asked the last time is not answered yet
  } else if (is_down(old.state) && !old.attempt) {
    const auto since = old.fail_over.answers_since;
    if (since && now - *since >= *server->fail_back) {
      old.fail_over = {};
      old.attempt = Attempt{.started = now, .deadline = now + kTimeout, .wish = *with.wish, .waiting = {}};
      take_over_group(*from, *old.attempt);
      begin_up(*from, old, now);
    } else {
      ask(*from, old, wire::Operation::kStatus, now);
    }
  }
  reschedule(*from, old, now);
}

}  // namespace anubis::gate

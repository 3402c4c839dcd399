// What is done without anybody asking, so that wishes come true and stay so: a session that was lost is brought up
// again, one that is up is renewed in time, and one whose other end is not heard is looked after.
#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "lib/base/duration.h"
#include "lib/gate/gatekeeper.h"

namespace anubis::gate {
namespace {

using namespace std::chrono_literals;
using base::Duration;
using base::Time;

// From kFirstRetry on, twice as long each time, ±25 %: 10,000 peers that lost a server do not come back in step.
constexpr Duration kLongestRetry = 60s;
constexpr Duration kRetryTimeout = 10s;
// When everybody has a reason to hurry at the same time.
constexpr Duration kSoon = 500ms;

// A session without a lease is renewed as well, now and then: only so it is noticed on a link on which nobody speaks
// that the other end has lost it.
constexpr Duration kRenewal = 10min;

// WireGuard itself begins to doubt a peer that it does not hear for 15 s (KEEPALIVE_TIMEOUT + REKEY_TIMEOUT).
constexpr Duration kDoubt = 15s;
constexpr Duration kLookInterval = 30s;

// So many hear at once where we are now, the others when their session is renewed or their side tunnel's keepalive
// comes.
constexpr std::size_t kMostNudged = 1024;

// WireGuard tells nobody of what it hears. Whoever may go to another server is to notice within seconds.
constexpr Duration kObserve = 5s;
constexpr Duration kObserveClosely = 1s;

constexpr const char* kSilent = "the peer is not heard any more";

}  // namespace

Duration Gatekeeper::spread(Duration duration) {
  return duration * 3 / 4 + Duration(random_.below(static_cast<std::uint64_t>((duration / 2).count())));
}

// A wish for two hours needs no longer lease.
std::chrono::seconds Gatekeeper::lease_to_ask(PeerIndex peer, const Session& with, Time now) const {
  const Wish* wish = with.wish ? &*with.wish : nullptr;
  if (with.attempt) wish = &with.attempt->wish;
  std::chrono::seconds lease = 0s;
  if (wish == nullptr) {  // somebody else's session is not to be prolonged
    if (with.lease_end) lease = std::chrono::ceil<std::chrono::seconds>(*with.lease_end - now);
    return with.lease_end ? std::max(lease, 1s) : 0s;
  }
  const auto configured = directory_.get(peer)->lease.value_or(Duration{0});
  lease = std::min(wish->lease.value_or(std::chrono::ceil<std::chrono::seconds>(configured)), wire::kMaxLease);
  if (!wish->until) return lease;
  const auto rest = std::clamp(std::chrono::ceil<std::chrono::seconds>(*wish->until - now), 1s, wire::kMaxLease);
  return lease == 0s ? rest : std::min(lease, rest);
}

// The attempt has succeeded: from now on what it was made for is wished.
void Gatekeeper::fulfilled(PeerIndex peer, Session& with, Time now) {
  end_wish_with_lease(peer, with, now);
  with.wish = with.attempt->wish;
  with.wish->fulfilled = true;
  with.failures = 0;
}

void Gatekeeper::plan_wish(Session& with, Time now) {
  if (with.state != SessionState::kUp) {
    with.renew_at.reset();
    with.look_at.reset();
    with.looking.reset();
    with.liveness = {};
  } else if (with.wish && !with.renew_at && !is_asking(with) && !with.attempt) {
    with.renew_at = now + spread(with.lease_end ? (*with.lease_end - now) / 2 : kRenewal);
  }
  const bool is_wanted = is_down(with.state) && with.wish && is_tried_again(*with.wish) && !leaving_;
  if (!is_wanted) {
    with.retry_at.reset();
  } else if (!with.retry_at) {
    with.retry_at = now + spread(std::min(kFirstRetry * (1u << std::min(with.failures, 8u)), kLongestRetry));
  }
}

void Gatekeeper::wake_wish(PeerIndex peer, Session& with, Time now) {
  if (with.wish && with.wish->until && *with.wish->until <= now) {
    with.wish.reset();
    const std::string over = "the time that it was wanted for is over";
    if (with.attempt) {
      finish(peer, with.attempt->waiting, {.verdict = Verdict::kSuperseded, .text = over});
      with.attempt.reset();
    }
    if (with.state == SessionState::kUp || with.state == SessionState::kGoingUp) {
      begin_down(peer, with, wire::Operation::kDown, over, now);
    }
  }
  if (with.retry_at && *with.retry_at <= now && is_down(with.state) && with.wish) try_again(peer, with, now);
  if (with.renew_at && *with.renew_at <= now) {
    with.renew_at.reset();
    if (!is_asking(with) && !with.attempt) ask(peer, with, wire::Operation::kRenew, now);
  }
}

void Gatekeeper::try_again(PeerIndex peer, Session& with, Time now) {
  with.retry_at.reset();
  with.attempt = Attempt{.started = now, .deadline = now + kRetryTimeout, .wish = *with.wish, .waiting = {}};
  begin_up(peer, with, now);
}

void Gatekeeper::network_changed(Time now) {
  std::size_t nudged = 0;
  for (auto& [peer, with] : sessions_) {
    const Time soon = now + Duration(random_.below(static_cast<std::uint64_t>(kSoon.count())));
    if (with.retry_at) {
      with.failures = 0;
      with.retry_at = soon;
    } else if (with.state == SessionState::kUp && !with.attempt && nudged < kMostNudged) {
      ++nudged;
      if (with.renew_at) with.renew_at = soon;
      nudge(peer, std::nullopt);
    } else if (!with.exchange && !with.attempt && directory_.get(peer)->side_endpoint && nudged < kMostNudged) {
      ++nudged;
      ask(peer, with, wire::Operation::kStatus, now);  // for whoever wants to bring us up
    }
    reschedule(peer, with, now);
  }
}

// Makes WireGuard send at once: the other end learns where we are now. Who has the peer's allowed IPs stays as it is.
void Gatekeeper::nudge(PeerIndex peer, std::optional<model::Endpoint> endpoint) {
  emit(InstallPeer{
      .peer = peer, .ticket = new_ticket(), .endpoint = endpoint, .initiate_handshake = true, .with_routes = false});
  emit(WatchHandshake{peer, new_ticket()});  // a keepalive that only served this ends with it
}

Duration Gatekeeper::observe(PeerIndex peer, const Observation& seen, Time now) {
  const auto found = sessions_.find(peer);
  if (found == sessions_.end() || found->second.state != SessionState::kUp) return kObserve;
  Session& with = found->second;
  with.liveness.observe(seen, now);
  const auto unanswered = with.liveness.unanswered_for(now);
  if (unanswered && *unanswered >= kDoubt && (!with.look_at || *with.look_at <= now)) {
    with.look_at = now + kLookInterval;
    look_for(peer, with, now);
  }
  watch_server(peer, with, now);
  const bool is_silent = with.liveness.silent_for(now).has_value();
  if (is_silent != (with.reason == kSilent)) {
    set_state(peer, with, SessionState::kUp, is_silent ? kSilent : "", now);
  }
  const auto most_idle = directory_.get(peer)->idle_timeout;
  if (most_idle && !with.wish && !with.attempt && with.liveness.idle_for(now) >= *most_idle) {
    begin_down(peer, with, wire::Operation::kDown, "idle for " + base::format_duration(*most_idle), now);
  }
  reschedule(peer, with, now);
  return may_fail_over(peer, with) ? kObserveClosely : kObserve;
}

// It may have forgotten the session: the side tunnel tells. Or it is somewhere else now: its name tells.
void Gatekeeper::look_for(PeerIndex peer, Session& with, Time now) {
  if (with.attempt) return;
  if (!is_asking(with)) ask(peer, with, with.wish ? wire::Operation::kRenew : wire::Operation::kStatus, now);
  if (with.looking || !directory_.get(peer)->endpoint) return;
  with.looking = new_ticket();
  emit(ResolveEndpoint{peer, *with.looking});
}

}  // namespace anubis::gate

#include "lib/gate/gatekeeper.h"

#include <algorithm>

namespace anubis::gate {

using base::Time;

Gatekeeper::Gatekeeper(Settings settings, const model::PeerDirectory& directory, KeyAgreement& keys,
                       const crypto::ProductionPublicKey& own_public_key, base::Random& random)
    : settings_(std::move(settings)),
      directory_(directory),
      keys_(keys),
      own_public_key_(own_public_key),
      random_(random) {}

// --- from the network ------------------------------------------------------------------------------------------------

void Gatekeeper::receive(std::span<const std::uint8_t> datagram, const model::IpAddress& source, std::uint16_t port,
                         Time now) {
  const auto header = wire::decode_header(datagram);
  if (!header) return drop(header.error());
  const auto peer = directory_.find(header->sender);
  if (!peer) {
    // An authorised side peer with another production key than the configured one: worth a word in its status.
    if (const auto neighbour = directory_.find_by_side_address(source)) {
      Session& with = session(*neighbour);
      ++with.unopened;
      note_idleness(*neighbour, with);
    }
    return drop(wire::Drop::kUnknownSender);
  }
  if (directory_.get(*peer)->side_address != source) return drop(wire::Drop::kSource);

  Session& with = session(*peer);
  if (!is_within_share(with, now)) return drop(wire::Drop::kRate);
  switch (header->type) {
    case wire::MessageType::kRequest:
      take_request(*peer, with, *header, datagram, port, now);
      break;
    case wire::MessageType::kReply:
      take_reply(*peer, with, *header, datagram, now);
      break;
  }
  reschedule(*peer, with);
}

// --- from the user ---------------------------------------------------------------------------------------------------

void Gatekeeper::up(CommandId command, PeerIndex peer, std::optional<std::chrono::seconds> lease,
                    base::Duration timeout, Time now) {
  Session& with = session(peer);
  if (with.attempt && with.attempt->waiting.size() >= settings_.limits.waiting_commands)
    return turn_away(command, peer);
  if (with.attempt) {  // it is under way already: wait for the same outcome
    with.attempt->waiting.push_back(command);
    with.attempt->deadline = std::max(with.attempt->deadline, now + timeout);
    return reschedule(peer, with);
  }
  const auto configured = directory_.get(peer)->lease;
  const auto asked = std::min(
      lease.value_or(std::chrono::ceil<std::chrono::seconds>(configured.value_or(base::Duration{0}))), wire::kMaxLease);
  with.attempt = Attempt{.started = now, .deadline = now + timeout, .lease = asked, .waiting = {command}};
  if (with.state == SessionState::kUp) {
    with.attempt->phase = Attempt::Phase::kAsking;
    ask(peer, with, wire::Operation::kRenew, now);
  } else {
    begin_up(peer, with, now);
  }
  reschedule(peer, with);
}

void Gatekeeper::down(CommandId command, PeerIndex peer, base::Duration timeout, Time now) {
  Session& with = session(peer);
  const bool is_down = with.state == SessionState::kDown || with.state == SessionState::kFailed;
  if (is_down && !with.peer_may_be_up) {
    set_state(peer, with, SessionState::kDown, {}, now);
    std::vector<CommandId> commands{command};
    finish(peer, commands, {.was_so_already = true});
    return reschedule(peer, with);
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
  if (with.state != SessionState::kGoingDown) begin_down(peer, with, now);
  reschedule(peer, with);
}

// --- from the executor -----------------------------------------------------------------------------------------------

void Gatekeeper::installed(PeerIndex peer, Ticket ticket, base::Result<Installed> result, Time now) {
  const auto found = sessions_.find(peer);
  if (found == sessions_.end()) return;
  Session& with = found->second;
  if (with.responder.pending && with.responder.pending->ticket == ticket) {
    responder_installed(peer, with, result, now);
  } else if (with.attempt && with.awaited == ticket) {
    with.awaited.reset();
    if (result && with.state != SessionState::kUp) {
      shake(peer, with, now);
    } else if (result && result->presence == wire::PeerPresence::kFound) {
      end_attempt(peer, with, {.was_so_already = true}, now);  // renewed, and all is as it should be
    } else if (result) {
      begin_up(peer, with, now);  // somebody took the peer away here: as when the other end has forgotten it
    } else {
      fail_attempt(peer, with, Verdict::kLocal, result.error().message, now);
    }
  }
  reschedule(peer, with);
}

void Gatekeeper::removed(PeerIndex peer, Ticket ticket, base::Status result, Time now) {
  const auto found = sessions_.find(peer);
  if (found == sessions_.end()) return;
  Session& with = found->second;
  if (with.responder.pending && with.responder.pending->ticket == ticket) {
    responder_removed(peer, with, result, now);
  } else if (with.state == SessionState::kGoingDown && with.awaited == ticket) {
    with.awaited.reset();
    if (result) {
      finish_down_if_complete(peer, with, now);
    } else {
      void_token(with);  // a request that was BUSY until now was made before this change
      finish(peer, with.down_waiting, {.verdict = Verdict::kLocal, .text = result.error().message});
      with.down_deadline.reset();
      set_state(peer, with, SessionState::kFailed, result.error().message, now);
    }
  }
  reschedule(peer, with);
}

void Gatekeeper::adopt(PeerIndex peer, const std::optional<Remembered>& remembered, Time now) {
  Session& with = session(peer);
  if (remembered) {
    with.initiator = remembered->initiator;
    with.lease_end = remembered->lease_end;
  } else if (const auto lease = directory_.get(peer)->lease) {
    with.lease_end = now + *lease;
  }
  set_state(peer, with, SessionState::kUp, {}, now);
  if (remembered) with.since = remembered->since;
  // Nothing remembered: it was going up when the process before ended, and who knows with which preshared key.
  if (!remembered || remembered->renewing) ask(peer, with, wire::Operation::kRenew, now);
  reschedule(peer, with);
}

void Gatekeeper::reinstall_all(Time now) {
  for (auto& [peer, with] : sessions_) {
    if (with.state == SessionState::kUp) {
      install(peer, new_ticket(), with, Installation::kKeep, true);
    } else if (with.attempt && with.attempt->phase == Attempt::Phase::kShaking) {
      with.attempt->recreate_at = now;
      reschedule(peer, with);
    }
  }
}

void Gatekeeper::peer_changed(PeerIndex peer, Time now) {
  const auto found = sessions_.find(peer);
  if (found == sessions_.end()) return;
  Session& with = found->second;
  with.keys.clear();
  with.unopened = 0;
  if (with.state == SessionState::kUp) install(peer, new_ticket(), with, Installation::kKeep, true);
  if (with.exchange) ask(peer, with, with.exchange->operation, now);
  reschedule(peer, with);
}

void Gatekeeper::peer_removed(PeerIndex peer, Time) {
  const auto found = sessions_.find(peer);
  if (found == sessions_.end()) return;
  Session& with = found->second;
  const Outcome gone{.verdict = Verdict::kSuperseded, .text = "it was removed from the configuration"};
  if (with.attempt) finish(peer, with.attempt->waiting, gone);
  finish(peer, with.down_waiting, gone);
  remove_from_interface(peer);
  if (with.remembered) emit(RememberSession{peer, std::nullopt});
  if (with.wake_at) timers_.erase({*with.wake_at, peer});
  if (with.idle_at) idle_.erase(*with.idle_at);
  sessions_.erase(found);
}

void Gatekeeper::warm_up(PeerIndex peer, Time now) {
  Session& with = session(peer);
  if (with.exchange || with.peer_token) return;
  ask(peer, with, wire::Operation::kStatus, now);
  reschedule(peer, with);
}

// --- time ------------------------------------------------------------------------------------------------------------

void Gatekeeper::advance(Time now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const PeerIndex peer = timers_.begin()->second;
    timers_.erase(timers_.begin());
    Session& with = sessions_.at(peer);
    with.wake_at.reset();
    wake(peer, with, now);
    reschedule(peer, with);
  }
}

std::optional<Time> Gatekeeper::next_timer() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

// Does whatever of this session is due.
void Gatekeeper::wake(PeerIndex peer, Session& with, Time now) {
  if (with.lease_end && *with.lease_end <= now && with.state == SessionState::kUp && !with.attempt) {
    with.lease_end.reset();
    with.initiator = false;
    with.exchange.reset();
    void_token(with);
    remove_from_interface(peer);
    set_state(peer, with, SessionState::kDown, "the lease ran out", now);
  }
  if (with.attempt && with.attempt->deadline <= now) {
    switch (with.attempt->phase) {
      case Attempt::Phase::kResolving:
        fail_attempt(peer, with, Verdict::kNoEndpoint, "the resolver did not answer in time", now);
        break;
      case Attempt::Phase::kAsking:
        fail_unanswered(peer, with, now);
        break;
      case Attempt::Phase::kInstalling:
        fail_attempt(peer, with, Verdict::kLocal, "the production interface could not be changed in time", now);
        break;
      case Attempt::Phase::kShaking:
        fail_attempt(peer, with, Verdict::kNoHandshake, {}, now);
        break;
    }
  }
  if (with.attempt && with.attempt->phase == Attempt::Phase::kAsking && with.attempt->install_early_at &&
      *with.attempt->install_early_at <= now) {
    install_early(peer, with);
  }
  if (with.attempt && with.attempt->phase == Attempt::Phase::kShaking && with.attempt->recreate_at <= now) {
    // WireGuard repeats an initiation that came too early only after 5 s; a peer made anew sends another at once.
    with.attempt->phase = Attempt::Phase::kInstalling;
    with.awaited = new_ticket();
    install(peer, *with.awaited, with, Installation::kRecreate, true);
  }
  if (with.down_deadline && *with.down_deadline <= now) {
    with.down_deadline.reset();
    finish(peer, with.down_waiting, {.verdict = Verdict::kNoAnswer, .took = now - with.down_started});
    // The request goes on being repeated, in the background; a delayed up of the peer must not slip in meanwhile.
    void_token(with);
    with.awaited.reset();
    forget_suite(peer, with, now);
    set_state(peer, with, SessionState::kDown, "the peer has not confirmed that it took its end down", now);
  }
  if (with.exchange && with.exchange->next_send <= now) repeat(peer, with, now);
}

void Gatekeeper::remember(PeerIndex peer, Session& with) {
  std::optional<Remembered> facts;
  if (with.state == SessionState::kUp) {
    const bool renewing = with.exchange && with.exchange->operation == wire::Operation::kRenew;
    facts = Remembered{with.initiator, with.lease_end, with.since, renewing};
  }
  if (facts == with.remembered) return;
  with.remembered = facts;
  emit(RememberSession{peer, facts});
}

void Gatekeeper::reschedule(PeerIndex peer, Session& with) {
  remember(peer, with);
  std::optional<Time> earliest;
  const auto consider = [&earliest](Time time) { earliest = earliest ? std::min(*earliest, time) : time; };
  if (with.exchange) consider(with.exchange->next_send);
  if (with.attempt) {
    consider(with.attempt->deadline);
    if (with.attempt->phase == Attempt::Phase::kShaking) consider(with.attempt->recreate_at);
    if (with.attempt->phase == Attempt::Phase::kAsking && with.attempt->install_early_at) {
      consider(*with.attempt->install_early_at);
    }
  } else if (with.lease_end && with.state == SessionState::kUp) {
    consider(*with.lease_end);
  }
  if (with.down_deadline) consider(*with.down_deadline);

  if (with.wake_at != earliest) {
    if (with.wake_at) timers_.erase({*with.wake_at, peer});
    if (earliest) timers_.emplace(*earliest, peer);
    with.wake_at = earliest;
  }
  note_idleness(peer, with);
}

// --- shared by both halves -------------------------------------------------------------------------------------------

base::Result<const crypto::MessageKeys*> Gatekeeper::message_keys(PeerIndex peer, Session& with, crypto::Suite suite) {
  for (const Session::SuiteKeys& known : with.keys) {
    if (known.suite == suite) return &known.keys;
  }
  auto keys = keys_.derive(peer, suite);
  if (!keys) return base::fail(keys.error());
  with.keys.push_back({suite, std::move(*keys)});
  return &with.keys.back().keys;
}

// Our view of the session changed by our own doing: whatever the peer sent before must have no effect any more, and
// what was answered before must not be said again.
void Gatekeeper::void_token(Session& with) {
  with.responder.token = random_.bytes<std::tuple_size_v<wire::Token>>();
  with.responder.last_request.clear();
  with.responder.last_reply.clear();
  with.responder.pending.reset();
}

void Gatekeeper::set_state(PeerIndex peer, Session& with, SessionState state, std::string reason, Time now) {
  if (with.state == state && with.reason == reason) return;
  if (with.state != state) with.since = now;
  if (state == SessionState::kDown || state == SessionState::kFailed) with.preshared_key.reset();
  with.state = state;
  with.reason = std::move(reason);
  emit(SessionChanged{peer, state, with.initiator, with.reason});
}

void Gatekeeper::finish(PeerIndex peer, std::vector<CommandId>& commands, const Outcome& outcome) {
  for (const CommandId command : commands) emit(FinishCommand{command, peer, outcome});
  commands.clear();
}

void Gatekeeper::install(PeerIndex peer, Ticket ticket, const Session& with, Installation installation,
                         bool with_routes, SharedPresharedKey preshared_key) {
  InstallPeer action{.peer = peer,
                     .ticket = ticket,
                     .installation = installation,
                     .with_routes = with_routes,
                     .preshared_key = std::move(preshared_key)};
  action.initiate_handshake = we_initiate_handshake(peer, with);
  // A roamer's initiation, which may have arrived by now, tells where it is better than anything that we could say.
  const bool keep_endpoint = with.attempt && with.attempt->installed_early && !action.initiate_handshake;
  if (with.attempt && !keep_endpoint) {
    if (with.attempt->endpoint && with.attempt->endpoint->port != 0) action.endpoint = with.attempt->endpoint;
    action.told_port = with.attempt->told_port;
  }
  emit(std::move(action));
}

// --- out -------------------------------------------------------------------------------------------------------------

Actions Gatekeeper::take_actions() {
  if (actions_.empty()) return {};
  Actions taken;
  taken.reserve(actions_.capacity());  // room for as many the next time: growing moves all of them, again and again
  taken.swap(actions_);
  return taken;
}

SessionView Gatekeeper::view(PeerIndex peer, Time now) const {
  const auto found = sessions_.find(peer);
  if (found == sessions_.end()) return {};
  const Session& with = found->second;
  SessionView view{.state = with.state,
                   .initiator = with.initiator,
                   .reason = with.reason,
                   .since = with.since,
                   .unopened = with.unopened};
  if (with.state == SessionState::kUp && with.lease_end)
    view.lease_left = std::max(*with.lease_end - now, base::Duration{0});
  return view;
}

}  // namespace anubis::gate

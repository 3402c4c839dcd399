#include "lib/gate/gatekeeper.h"

#include <algorithm>
#include <chrono>

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
      take_request(*peer, with, *header, datagram, model::Speaker::kPeer, port, now);
      break;
    case wire::MessageType::kReply:
      take_reply(*peer, with, *header, datagram, now);
      break;
  }
  reschedule(*peer, with, now);
}

// --- from the user ---------------------------------------------------------------------------------------------------

void Gatekeeper::up(CommandId command, PeerIndex peer, const UpRequest& request, Time now) {
  Session& with = session(peer);
  if (with.attempt && with.attempt->waiting.size() >= settings_.limits.waiting_commands)
    return turn_away(command, peer);
  Wish wish{.lease = request.lease, .insistence = request.insistence};
  if (request.wanted_for) wish.until = now + *request.wanted_for;
  // Who wishes it more than this goes on wishing so.
  if (with.wish) wish.insistence = std::max(wish.insistence, with.wish->insistence);
  if (wish.insistence != Insistence::kOnce && !request.instead_of_group) with.wish = wish;
  with.fail_over.came_from.reset();  // the user has decided
  if (with.attempt) {                // it is under way already: wait for the same outcome
    with.attempt->waiting.push_back(command);
    with.attempt->deadline = std::max(with.attempt->deadline, now + request.timeout);
    with.attempt->wish = wish;
    if (request.instead_of_group) take_over_group(peer, *with.attempt);
    return reschedule(peer, with, now);
  }
  with.attempt = Attempt{.started = now, .deadline = now + request.timeout, .wish = wish, .waiting = {command}};
  if (request.instead_of_group) take_over_group(peer, *with.attempt);
  if (with.state == SessionState::kUp && is_plain(peer)) {
    install_plain(peer, with);
  } else if (with.state == SessionState::kUp) {
    with.attempt->phase = Attempt::Phase::kAsking;
    ask(peer, with, wire::Operation::kRenew, now);
  } else {
    begin_up(peer, with, now);
  }
  reschedule(peer, with, now);
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
    const bool takes_over = with.attempt->phase == Attempt::Phase::kTakingOver;
    if (result && (takes_over || (with.state != SessionState::kUp && comes_by_itself(peer)))) {
      came_up(peer, with, now);
    } else if (result && with.state != SessionState::kUp) {
      shake(peer, with, now);
    } else if (result && result->presence == wire::PeerPresence::kFound) {
      fulfilled(peer, with, now);
      end_attempt(peer, with, {.was_so_already = true}, now);  // renewed, and all is as it should be
    } else if (result) {
      begin_up(peer, with, now);  // somebody took the peer away here: as when the other end has forgotten it
    } else {
      fail_attempt(peer, with, Verdict::kLocal, result.error().message, now);
    }
  }
  // Of a renewal: the other end has taken a preshared key that is not installed here.
  if (!result && with.state == SessionState::kUp) with.renew_at = now + spread(kFirstRetry);
  reschedule(peer, with, now);
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
  reschedule(peer, with, now);
}

void Gatekeeper::reinstall_all(Time now) {
  for (auto& [peer, with] : sessions_) {
    if (with.state == SessionState::kUp) {
      install(peer, new_ticket(), with, Installation::kKeep, true);
    } else if (with.attempt && with.attempt->phase == Attempt::Phase::kShaking) {
      with.attempt->recreate_at = now;
      reschedule(peer, with, now);
    }
  }
}

void Gatekeeper::interface_lost(Time now) {
  for (auto& [peer, with] : sessions_) {
    if (with.state != SessionState::kUp || with.attempt) continue;
    with.farewell = {};
    begin_down(peer, with, wire::Operation::kBye, "the production interface has gone", now);
    reschedule(peer, with, now);
  }
}

void Gatekeeper::leave(Time now) {
  leaving_ = true;
  for (auto& [peer, with] : sessions_) {
    if (with.wish && with.wish->insistence != Insistence::kPersistent) with.wish.reset();
    reschedule(peer, with, now);
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
  reschedule(peer, with, now);
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
  if (with.state == SessionState::kUp) --sessions_up_;
  if (servers_.erase(peer) != 0) emit(CarryClient{peer, std::nullopt});
  if (with.wake_at) timers_.erase({*with.wake_at, peer});
  if (with.idle_at) idle_.erase(*with.idle_at);
  sessions_.erase(found);
}

void Gatekeeper::warm_up(PeerIndex peer, Time now) {
  Session& with = session(peer);
  if (with.exchange || with.peer_token) return;
  ask(peer, with, wire::Operation::kStatus, now);
  reschedule(peer, with, now);
}

// --- time ------------------------------------------------------------------------------------------------------------

void Gatekeeper::advance(Time now) {
  tell_fellows(now);
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const PeerIndex peer = timers_.begin()->second;
    timers_.erase(timers_.begin());
    Session& with = sessions_.at(peer);
    with.wake_at.reset();
    wake(peer, with, now);
    reschedule(peer, with, now);
  }
}

std::optional<Time> Gatekeeper::next_timer() const {
  if (!changed_clients_.empty()) return changed_at_;
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

// Does whatever of this session is due.
void Gatekeeper::wake(PeerIndex peer, Session& with, Time now) {
  wake_wish(peer, with, now);
  wake_group(peer, with, now);
  wake_fail_over(peer, with, now);
  if (with.lease_end && *with.lease_end <= now && with.state == SessionState::kUp && !with.attempt) {
    with.lease_end.reset();
    with.peer_may_be_up = with.exchange.has_value();  // it may have renewed it, unheard
    with.exchange.reset();
    void_token(with);
    remove_from_interface(peer);
    set_state(peer, with, SessionState::kDown,
              with.wish ? "the lease ran out, and the peer did not renew it" : "the lease ran out", now);
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
      case Attempt::Phase::kTakingOver:
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
    install(peer, *with.awaited, with, Installation::kRecreate, !with.attempt->takes_over);
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
  if (with.exchange && with.exchange->next_send <= now) {
    if (with.exchange->operation == wire::Operation::kClients) {
      // Not the same bytes: the ages in it must be true when they are read.
      with.exchange->next_send = now + std::chrono::seconds(1);  // should there be no keys for it
      ask(peer, with, wire::Operation::kClients, now);
    } else {
      repeat(peer, with, now);
    }
  }
}

void Gatekeeper::reschedule(PeerIndex peer, Session& with, Time now) {
  plan_wish(with, now);
  plan_telling(peer, with, now);
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
  for (const auto& due : {with.retry_at, with.renew_at, with.wish ? with.wish->until : std::nullopt, with.forget_at,
                          with.fellow.complete_at, with.fail_over.lost_at, with.fail_over.probe_at}) {
    if (due) consider(*due);
  }

  if (with.wake_at != earliest) {
    if (with.wake_at) timers_.erase({*with.wake_at, peer});
    if (earliest) timers_.emplace(*earliest, peer);
    with.wake_at = earliest;
  }
  note_idleness(peer, with);
}

// --- shared by both halves -------------------------------------------------------------------------------------------

base::Result<const crypto::MessageKeys*> Gatekeeper::message_keys(PeerIndex peer, Session& with, crypto::Suite suite,
                                                                  model::Speaker speaker) {
  for (const Session::SuiteKeys& known : with.keys) {
    if (known.suite == suite && known.speaker == speaker) return &known.keys;
  }
  auto keys = keys_.derive(peer, speaker, suite);
  if (!keys) return base::fail(keys.error());
  with.keys.push_back({speaker, suite, std::move(*keys)});
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
  if (with.state == SessionState::kUp && state != SessionState::kUp) --sessions_up_;
  if (with.state != SessionState::kUp && state == SessionState::kUp) ++sessions_up_;
  if (is_down(state)) with.preshared_key.reset();
  if ((with.state == SessionState::kUp) != (state == SessionState::kUp)) note_client(peer, now);
  if (state != SessionState::kUp) with.forget_at.reset();
  with.state = state;
  with.reason = std::move(reason);
  emit(SessionChanged{peer, state, with.wish || with.attempt, with.reason});
}

void Gatekeeper::finish(PeerIndex peer, std::vector<CommandId>& commands, const Outcome& outcome) {
  for (const CommandId command : commands) emit(FinishCommand{command, peer, outcome});
  commands.clear();
}

// As far as it is known: a roamer's lacks its port until the peer has told it.
std::optional<model::Endpoint> Gatekeeper::endpoint_of_attempt(const Session& with) {
  if (!with.attempt || !with.attempt->endpoint || with.attempt->endpoint->port == 0) return std::nullopt;
  return with.attempt->endpoint;
}

void Gatekeeper::install(PeerIndex peer, Ticket ticket, const Session& with, Installation installation,
                         bool with_routes, SharedPresharedKey preshared_key) {
  InstallPeer action{.peer = peer,
                     .ticket = ticket,
                     .installation = installation,
                     // What is for a client that is with another server stays there.
                     .with_routes = with_routes && !servers_.contains(peer),
                     .take_over = with_routes && with.attempt && with.attempt->takes_over,
                     .preshared_key = std::move(preshared_key)};
  action.initiate_handshake = we_initiate_handshake(peer, with);
  // A roamer's initiation, which may have arrived by now, tells where it is better than anything that we could say.
  const bool keep_endpoint = with.attempt && with.attempt->installed_early && !action.initiate_handshake;
  if (with.attempt && !keep_endpoint) {
    action.endpoint = endpoint_of_attempt(with);
    action.told_port = with.attempt->told_port;
  }
  const bool ends_keepalive = action.initiate_handshake && with.state == SessionState::kUp;
  emit(std::move(action));
  // One that only served to start the handshake ends with it; for another state, there is somebody who watches.
  if (ends_keepalive) emit(WatchHandshake{peer, new_ticket()});
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
  if (found == sessions_.end()) {
    SessionView view;
    if (const auto server = servers_.find(peer); server != servers_.end()) view.server = server->second.server;
    return view;
  }
  const Session& with = found->second;
  SessionView view{.state = with.state,
                   .initiator = with.wish || with.attempt,
                   .reason = with.reason,
                   .since = with.since,
                   .wish = with.wish,
                   .unopened = with.unopened};
  if (const auto server = servers_.find(peer); server != servers_.end()) view.server = server->second.server;
  if (with.retry_at) view.retry_in = std::max(*with.retry_at - now, base::Duration{0});
  if (with.state != SessionState::kUp) return view;
  if (with.lease_end) view.lease_left = std::max(*with.lease_end - now, base::Duration{0});
  if (const auto silence = with.liveness.silent_for(now)) {
    view.hearing = Hearing::kSilent;
    view.silent_for = *silence;
  } else if (with.liveness.is_quiet(now)) {
    view.hearing = Hearing::kQuiet;
  }
  return view;
}

}  // namespace anubis::gate

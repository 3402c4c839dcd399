// The initiator's half: requests, their repetitions, replies, and the way from a reply to a tunnel that shakes hands.
#include <algorithm>
#include <chrono>
#include <utility>

#include "lib/gate/gatekeeper.h"

namespace anubis::gate {
namespace {

using namespace std::chrono_literals;
using base::Duration;
using base::Time;
using Phase = Attempt::Phase;

// Intervals between the repetitions of a request: 0.25, 0.5, 1, 2, 4, 4, … s, each ±25 % so that many hosts that lost
// the same server do not come back in step.
constexpr Duration kFirstInterval = 250ms;
constexpr Duration kLongestInterval = 4s;
// A down that nobody waits for any more goes on, more and more rarely, until the peer confirms it.
constexpr Duration kLongestBackgroundInterval = 60s;
constexpr unsigned kWarmUpSends = 6;  // ~12 s; the first up asks again anyway

// A responder takes about a millisecond to install a peer. An initiation that travels this much behind the request
// finds it there; one that comes too early is lost. A reply that is quicker than this is not waited for.
constexpr Duration kEarlyInstallLag = 2ms;

// WireGuard's handshake takes one round trip, which the exchange has just measured. If it is not seen after this and
// half a round trip more than it should take, our initiation came too early after all, and WireGuard itself would
// repeat it only after 5 s. Not less: WireGuard takes initiations of one peer for a replay when they are less than 17
// ms apart (timestamps are rounded), so that a peer made anew too soon would shut itself out.
constexpr Duration kShortestShake = 25ms;

// The session is not up there, and not about to be.
bool is_gone_there(const wire::Reply& reply) {
  return reply.result == wire::ResultCode::kNotUp && is_down(reply.state);
}

std::string brief(Verdict verdict, const std::string& text) {
  switch (verdict) {
    case Verdict::kDone:
      return {};
    case Verdict::kNoAnswer:
      return text.empty() ? "the peer's anubisd did not answer" : "the peer's anubisd did not answer: " + text;
    case Verdict::kNoHandshake:
      return "WireGuard's handshake on the production interface did not complete";
    case Verdict::kRefused:
      return "refused by the peer: " + text;
    case Verdict::kNoEndpoint:
    case Verdict::kLocal:
    case Verdict::kSuperseded:
      return text;
  }
  return text;
}

}  // namespace

// --- requests --------------------------------------------------------------------------------------------------------

void Gatekeeper::ask(PeerIndex peer, Session& with, wire::Operation operation, Time now) {
  if (is_plain(peer)) {
    with.exchange.reset();
    with.peer_may_be_up = false;
    return;
  }
  const crypto::Suite suite = suite_to_ask_in(with);
  const auto keys = message_keys(peer, with, suite);
  if (!keys) {
    if (with.attempt) fail_attempt(peer, with, Verdict::kLocal, keys.error().message, now);
    return;
  }
  const unsigned asked_again = with.exchange ? with.exchange->asked_again : 0;
  const bool goes_on = operation == wire::Operation::kClients && with.exchange && with.exchange->operation == operation;
  const unsigned sent = goes_on ? with.exchange->sent : 0;
  auto preshared_key = key_to_send(with, operation);
  with.exchange = Exchange{.operation = operation,
                           .request_id = random_.bytes<std::tuple_size_v<wire::RequestId>>(),
                           .suite = suite,
                           .sent = sent,
                           .asked_again = asked_again,
                           .preshared_key = std::move(preshared_key)};
  if (operation == wire::Operation::kClients) with.exchange->clients = clients_to_tell(with, now);
  const wire::Header header{.type = wire::MessageType::kRequest,
                            .suite = suite,
                            .request_id = with.exchange->request_id,
                            .sender = own_public_key_,
                            .nonce = random_.bytes<crypto::kNonceSize>()};
  const wire::Request request{
      .operation = operation,
      .token = with.peer_token,
      .suites = settings_.suites,
      .listen_port = settings_.listen_port,
      .lease = lease_to_ask(peer, with, now),
      .successor = operation == wire::Operation::kBye ? with.farewell.successor : std::nullopt,
      .for_good = operation == wire::Operation::kBye && with.farewell.for_good,
      .responder_initiates = operation == wire::Operation::kUp && !we_initiate_handshake(peer, with),
      .preshared_key = with.exchange->preshared_key,
      .clients = with.exchange->clients};
  const bool is_long = request.clients.held.size() + request.clients.released.size() > wire::kFewClients;
  with.exchange->datagram = wire::seal_message(header, (*keys)->sending, wire::create_request(request),
                                               is_long ? wire::kMaxDatagramSize : wire::kRequestSize);
  if (operation == wire::Operation::kUp) prepare_early_install(peer, with, now);
  repeat(peer, with, now);
}

// With the right token the peer will be installed over there a moment after the request: install it here before the
// reply comes, without its routes, and WireGuard's handshake saves the wait for it.
void Gatekeeper::prepare_early_install(PeerIndex peer, Session& with, Time now) {
  with.peer_may_be_up = true;
  Attempt& attempt = *with.attempt;
  attempt.installed_early = false;
  attempt.install_early_at.reset();
  if (!with.peer_token || attempt.leaves_handshake_to_peer) return;
  if (we_initiate_handshake(peer, with)) {
    attempt.install_early_at = now + kEarlyInstallLag;
  } else {
    install_early(peer, with);  // before the request goes out: the peer's initiation must find us ready
  }
}

// Only one end may start WireGuard's handshake (docs/protocol.md, 9.3). A roamer, for which we have no endpoint, may be
// behind a NAT that lets nothing in.
bool Gatekeeper::we_initiate_handshake(PeerIndex peer, const Session& with) const {
  return directory_.get(peer)->endpoint.has_value() && !(with.attempt && with.attempt->leaves_handshake_to_peer);
}

void Gatekeeper::install_early(PeerIndex peer, Session& with) {
  with.attempt->install_early_at.reset();
  with.attempt->installed_early = true;
  const bool overruled = with.exchange->overruled;
  install(peer, new_ticket(), with, Installation::kRecreate, false,
          overruled ? with.preshared_key : with.exchange->preshared_key);
}

void Gatekeeper::repeat(PeerIndex peer, Session& with, Time now) {
  Exchange& exchange = *with.exchange;
  const bool waited_for = with.attempt || with.down_deadline;
  if (!waited_for && exchange.operation == wire::Operation::kStatus && exchange.sent == kWarmUpSends) {
    with.exchange.reset();
    with.suite.reset();
    return;
  }
  emit(SendDatagram{peer, settings_.service_port, exchange.datagram});
  ++counters_.sent;
  // Servers of a group are few, always on, and to agree soon after they see each other again.
  const Duration longest = waited_for || is_fellow(peer) ? kLongestInterval : kLongestBackgroundInterval;
  const Duration interval = std::min(kFirstInterval * (1u << std::min(exchange.sent, 12u)), longest);
  ++exchange.sent;
  exchange.last_sent = now;
  if (exchange.sent == 1) exchange.first_sent = now;
  const auto spread = static_cast<std::uint64_t>((interval / 2).count());
  exchange.next_send = now + interval * 3 / 4 + Duration(random_.below(spread));
}

void Gatekeeper::take_reply(PeerIndex peer, Session& with, const wire::Header& header,
                            std::span<const std::uint8_t> datagram, Time now) {
  if (!with.exchange || with.exchange->request_id != header.request_id || with.exchange->suite != header.suite) {
    return drop(wire::Drop::kUnsolicited);
  }
  const auto keys = message_keys(peer, with, header.suite);
  if (!keys) return drop(wire::Drop::kAuthentication);
  const auto payload = wire::open_message(header, (*keys)->receiving, datagram);
  if (!payload) {
    ++with.unopened;
    return drop(payload.error());
  }
  with.unopened = 0;
  auto reply = wire::consume_reply(*payload);
  if (!reply) return drop(wire::Drop::kUnsolicited);

  with.peer_token = reply->token;
  note_answer(with, now);
  switch (reply->result) {
    case wire::ResultCode::kStale:
      if (++with.exchange->asked_again < kMaxAskedAgain) return ask(peer, with, with.exchange->operation, now);
      break;
    case wire::ResultCode::kBusy:
      return;  // not accepted, so that the same bytes, sent again later, are judged anew
    case wire::ResultCode::kSuite: {
      auto why_not = ask_in_another_suite(peer, with, *reply, now);
      if (!why_not) return;
      reply->text = std::move(*why_not);
      break;
    }
    case wire::ResultCode::kOk:
      if (must_ask_again(with, *reply) && ++with.exchange->asked_again < kMaxAskedAgain) {
        return ask(peer, with, with.exchange->operation, now);
      }
      break;
    case wire::ResultCode::kDenied:
    case wire::ResultCode::kConflict:
    case wire::ResultCode::kVersion:
    case wire::ResultCode::kBadRequest:
    case wire::ResultCode::kInternal:
    case wire::ResultCode::kNotUp:
      break;
  }
  if (reply->result != wire::ResultCode::kOk && !is_gone_there(*reply) && must_ask_on(with)) {
    with.exchange->asked_again = 0;
    return;
  }
  const Exchange answered = std::move(*with.exchange);
  with.exchange.reset();
  // Whoever sends it may have gone over to another port after the third time: what was sent before says nothing then.
  constexpr unsigned kOneWay = 3;
  if (with.attempt)
    with.attempt->round_trip = now - (answered.sent > kOneWay ? answered.last_sent : answered.first_sent);
  switch (answered.operation) {
    case wire::Operation::kUp:
      return take_up_reply(peer, with, answered, *reply, now);
    case wire::Operation::kRenew:
      return take_renew_reply(peer, with, answered, *reply, now);
    case wire::Operation::kDown:
    case wire::Operation::kBye:
      return take_down_reply(peer, with, *reply, now);
    case wire::Operation::kStatus:
      return take_status_reply(peer, with, *reply, now);
    case wire::Operation::kClients:
      return take_clients_reply(with, answered, *reply);
    case wire::Operation::kEnrol:
      return;  // never asked by a gatekeeper: a host that enrols is not running one yet (enrolment.h)
  }
}

// --- up --------------------------------------------------------------------------------------------------------------

void Gatekeeper::begin_up(PeerIndex peer, Session& with, Time now) {
  abandon_down(peer, with, "it was brought up again by a later command");
  with.exchange.reset();
  void_token(with);
  with.unopened = 0;
  set_state(peer, with, SessionState::kGoingUp, {}, now);
  if (comes_by_itself(peer)) return install_plain(peer, with);
  with.attempt->phase = Phase::kResolving;
  with.awaited = new_ticket();
  emit(ResolveEndpoint{peer, *with.awaited});
}

void Gatekeeper::resolved(PeerIndex peer, Ticket ticket, base::Result<model::Endpoint> endpoint, Time now) {
  const auto found = sessions_.find(peer);
  if (found == sessions_.end()) return;
  Session& with = found->second;
  if (with.looking == ticket) {
    with.looking.reset();
    if (endpoint && with.state == SessionState::kUp && !with.attempt) nudge(peer, *endpoint);
  }
  if (!with.attempt || with.attempt->phase != Phase::kResolving || with.awaited != ticket) return;
  with.awaited.reset();
  if (endpoint) {
    with.attempt->endpoint = *endpoint;
    if (is_plain(peer)) {
      install_plain(peer, with);
    } else {
      with.attempt->phase = Phase::kAsking;
      ask(peer, with, wire::Operation::kUp, now);
    }
  } else {
    fail_attempt(peer, with, Verdict::kNoEndpoint, endpoint.error().message, now);
  }
  reschedule(peer, with, now);
}

void Gatekeeper::take_up_reply(PeerIndex peer, Session& with, const Exchange& answered, const wire::Reply& reply,
                               Time now) {
  Attempt& attempt = *with.attempt;
  if (reply.result != wire::ResultCode::kOk) {
    // A refusal that was long on its way says nothing of a session that the peer has asked for since.
    with.peer_may_be_up = attempt.peer_wants_up;
    return end_attempt(peer, with, {.verdict = Verdict::kRefused, .code = reply.result, .text = reply.text}, now);
  }
  with.lease_end.reset();
  if (reply.lease > 0s) with.lease_end = now + reply.lease;
  attempt.told_port = reply.listen_port;
  if (attempt.endpoint->port == 0) attempt.endpoint->port = reply.listen_port;
  attempt.phase = Phase::kInstalling;
  with.awaited = new_ticket();
  // A handshake that was begun with a key that the peer does not have has failed.
  const bool is_new = (attempt.installed_early && reply.preshared_key_id) || attempt.leaves_handshake_to_peer;
  auto key = take_key(with, answered.preshared_key, reply);
  if (!key && !answered.overruled) key = answered.preshared_key;
  install(peer, *with.awaited, with, is_new ? Installation::kKeep : Installation::kRecreate, !attempt.takes_over,
          std::move(key));
}

void Gatekeeper::shake(PeerIndex peer, Session& with, Time now) {
  Attempt& attempt = *with.attempt;
  attempt.phase = Phase::kShaking;
  attempt.recreate_after = std::max({kShortestShake, attempt.round_trip * 3 / 2, attempt.recreate_after * 2});
  // An initiation cannot come too early to a plain peer, which has us all the time: WireGuard repeats what is lost.
  const bool may_come_too_early = we_initiate_handshake(peer, with) && !is_plain(peer);
  attempt.recreate_at = may_come_too_early ? now + attempt.recreate_after : Time::max();
  with.awaited = new_ticket();
  emit(WatchHandshake{peer, *with.awaited});
}

void Gatekeeper::handshake_seen(PeerIndex peer, Ticket ticket, Time now) {
  const auto found = sessions_.find(peer);
  if (found == sessions_.end()) return;
  Session& with = found->second;
  if (!with.attempt || with.attempt->phase != Phase::kShaking || with.awaited != ticket) return;
  if (with.attempt->takes_over) {
    with.attempt->phase = Phase::kTakingOver;
    with.awaited = new_ticket();
    install(peer, *with.awaited, with, Installation::kKeep, true);
  } else {
    came_up(peer, with, now);
  }
  reschedule(peer, with, now);
}

void Gatekeeper::take_renew_reply(PeerIndex peer, Session& with, const Exchange& answered, const wire::Reply& reply,
                                  Time now) {
  if (!with.attempt) {  // nobody waits for it: what there is stays as it is, unless there is nothing at the other end
    if (with.state != SessionState::kUp) return;
    if (is_gone_there(reply)) {
      if (with.wish) return try_again(peer, with, now);
      return begin_down(peer, with, wire::Operation::kDown, "the peer no longer has the session", now);
    }
    if (reply.result != wire::ResultCode::kOk) return;
  }
  if (reply.result == wire::ResultCode::kNotUp) return begin_up(peer, with, now);  // it has forgotten the session
  if (reply.result != wire::ResultCode::kOk) {
    return end_attempt(peer, with, {.verdict = Verdict::kRefused, .code = reply.result, .text = reply.text}, now);
  }
  with.lease_end.reset();
  if (reply.lease > 0s) with.lease_end = now + reply.lease;
  auto key = take_key(with, answered.preshared_key, reply);
  if (!with.attempt) return install(peer, new_ticket(), with, Installation::kKeep, true, std::move(key));
  // The peer's end is as it should be. Is ours? What stands there already is not touched, but for the key.
  with.attempt->phase = Phase::kInstalling;
  with.awaited = new_ticket();
  install(peer, *with.awaited, with, Installation::kKeep, true, std::move(key));
}

// It was asked for its token, or whether it still has what we have.
void Gatekeeper::take_status_reply(PeerIndex peer, Session& with, const wire::Reply& reply, Time now) {
  if (reply.result != wire::ResultCode::kOk || with.attempt || with.responder.pending) return;
  if (is_down(with.state) && reply.state == SessionState::kUp) {  // we have forgotten it, and perhaps were away
    with.peer_may_be_up = true;
    if (with.retry_at) return try_again(peer, with, now);
    with.farewell = {};
    ask(peer, with, wire::Operation::kBye, now);
  } else if (with.state == SessionState::kUp && is_down(reply.state) && !with.wish) {
    begin_down(peer, with, wire::Operation::kDown, "the peer no longer has the session", now);
  }
}

void Gatekeeper::fail_attempt(PeerIndex peer, Session& with, Verdict verdict, std::string text, Time now) {
  end_attempt(peer, with, {.verdict = verdict, .text = std::move(text)}, now);
}

// Tells the commands that wait. An attempt that failed leaves nothing behind: not here, and, as far as it can be told,
// not there. A session that was up already and could not be renewed stays as it is.
void Gatekeeper::end_attempt(PeerIndex peer, Session& with, Outcome outcome, Time now) {
  outcome.took = now - with.attempt->started;
  if (outcome.verdict != Verdict::kDone) {
    ++with.failures;
    outcome.is_tried_again = with.state != SessionState::kUp && with.wish && is_tried_again(*with.wish);
  }
  finish(peer, with.attempt->waiting, outcome);
  const Attempt ended = std::move(*with.attempt);
  with.attempt.reset();
  with.awaited.reset();
  if (outcome.verdict == Verdict::kDone && ended.leaves_others) leave_others(peer, now);
  // The peer may have taken the new preshared key of a renewal that it has not answered: until we know, we ask on.
  const bool asks_on =
      with.state == SessionState::kUp && with.exchange && with.exchange->operation == wire::Operation::kRenew;
  if (!asks_on) with.exchange.reset();
  if (with.state == SessionState::kUp) return;

  with.lease_end.reset();
  void_token(with);
  remove_from_interface(peer);
  set_state(peer, with, SessionState::kFailed, brief(outcome.verdict, outcome.text), now);
  if (with.peer_may_be_up) {
    with.farewell = {};  // no down: should the other end wish it as well, it may have better luck
    ask(peer, with, wire::Operation::kBye, now);
  }
  try_next_server(peer, with, ended, outcome.verdict, now);
}

}  // namespace anubis::gate

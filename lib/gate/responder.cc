// The responder's half: which requests are accepted, what they do, and what is answered.
#include <algorithm>
#include <chrono>
#include <utility>

#include "lib/gate/gatekeeper.h"

namespace anubis::gate {
namespace {

using namespace std::chrono_literals;
using base::Time;
using wire::ResultCode;

// The configured lease caps what is asked for; zero means until down.
std::chrono::seconds granted(std::chrono::seconds asked, const std::optional<base::Duration>& configured) {
  if (!configured) return asked;
  const auto cap = std::chrono::ceil<std::chrono::seconds>(*configured);
  return asked == 0s ? cap : std::min(asked, cap);
}

std::optional<Time> lease_end(std::chrono::seconds lease, Time now) {
  if (lease == 0s) return std::nullopt;
  return now + lease;
}

// Later repetitions are seconds apart: to who is heard meanwhile one goes at once.
constexpr unsigned kRarelyRepeated = 5;

// A page speaks for no WireGuard: it can neither set a preshared key nor know a port, and the peer shakes hands when
// it has something to send.
void forget_what_is_wireguards(wire::Request& request) {
  request.preshared_key.reset();
  request.listen_port = 0;
  request.responder_initiates = false;
}

wire::Reply not_up() { return {.result = ResultCode::kNotUp, .text = "the session is not up here"}; }

wire::Reply no_host() { return {.result = ResultCode::kDenied, .text = "that is for hosts, not for their companions"}; }

// Null: as it is.
SharedPresharedKey key_to_install(const Session& with, model::Speaker speaker) {
  if (with.preshared_key) return with.preshared_key;
  const bool is_known = speaker == model::Speaker::kPeer || with.state != SessionState::kUp;
  return is_known ? crypto::no_preshared_key() : nullptr;
}

}  // namespace

void Gatekeeper::receive_from_companion(std::span<const std::uint8_t> message, const model::IpAddress& source,
                                        Time now) {
  const auto header = wire::decode_header(message);
  if (!header) return drop(header.error());
  if (header->type != wire::MessageType::kRequest) return drop(wire::Drop::kUnsolicited);  // nothing is asked of it
  const auto peer = directory_.find_by_companion(crypto::CompanionPublicKey(header->sender));
  if (!peer) return drop(wire::Drop::kUnknownSender);
  if (directory_.get(*peer)->side_address != source) return drop(wire::Drop::kSource);

  Session& with = session(*peer);
  if (!is_within_share(with, now)) return drop(wire::Drop::kRate);
  take_request(*peer, with, *header, message, model::Speaker::kCompanion, 0, now);
  reschedule(*peer, with, now);
}

void Gatekeeper::take_request(PeerIndex peer, Session& with, const wire::Header& header,
                              std::span<const std::uint8_t> datagram, model::Speaker speaker, std::uint16_t port,
                              Time now) {
  Responder& responder = with.responder;
  const Responder::ReplyTo to{header.request_id, header.suite, speaker, port, datagram.size()};
  const bool is_peer = speaker == model::Speaker::kPeer;
  if (std::ranges::equal(datagram, responder.last_request)) {
    if (responder.last_reply.empty()) return;  // still being carried out
    ++counters_.replies_repeated;
    return give(peer, to, responder.last_reply);
  }
  if (with.keys.empty() && !first_contacts_.take(settings_.limits.first_contacts, now)) return drop(wire::Drop::kRate);
  const auto keys = message_keys(peer, with, header.suite, speaker);
  if (!keys) return drop(wire::Drop::kAuthentication);
  const auto payload = wire::open_message(header, (*keys)->receiving, datagram);
  if (!payload) {
    if (is_peer) ++with.unopened;
    return drop(payload.error());
  }
  if (is_peer) with.unopened = 0;

  const auto refuse = [&](ResultCode code, std::string text) {
    (void)answer(peer, with, to, {.result = code, .text = std::move(text)}, now);
  };
  auto request = wire::consume_request(*payload);
  if (!request) {
    switch (request.error().kind) {
      case wire::RequestFault::Kind::kMalformed:
        return refuse(ResultCode::kBadRequest, request.error().text);
      case wire::RequestFault::Kind::kUnknownOperation:
        return refuse(ResultCode::kVersion, request.error().text);
    }
  }
  // It must be sealed in the strongest suite that both of us have. An offer that lacks the suite in use was cut.
  if (crypto::best_common(settings_.suites, request->suites) != header.suite) {
    (void)answer(peer, with, to,
                 {.result = ResultCode::kSuite,
                  .text = "this host allows " + crypto::names_of(settings_.suites),
                  .suites = settings_.suites},
                 now);
    return;
  }
  if (request->token != responder.token) {
    ++counters_.stale;
    return refuse(ResultCode::kStale, {});
  }
  // An invitation is good for one thing, and nobody else needs that.
  const bool is_invitation = directory_.get(peer)->is_invitation;
  if (is_invitation != (request->operation == wire::Operation::kEnrol)) {
    return refuse(ResultCode::kDenied,
                  is_invitation ? "an invitation only lets its host join" : "you are a peer already");
  }
  // What we have to tell it need not wait any longer.
  if (is_peer && with.exchange && with.exchange->sent >= kRarelyRepeated) with.exchange->next_send = now;
  const bool wants_up = request->operation == wire::Operation::kUp || request->operation == wire::Operation::kRenew;
  if (leaving_ && wants_up) return refuse(ResultCode::kBusy, "this host is leaving");
  if (responder.pending || (wants_up && with.state == SessionState::kGoingDown)) {
    return refuse(ResultCode::kBusy, "another request for this peer is being carried out");
  }

  // Accepted: from here on it cannot be accepted again.
  ++counters_.requests_accepted;
  renew_token(with);
  if (is_peer) {
    with.suite = header.suite;
  } else {
    forget_what_is_wireguards(*request);
  }
  responder.last_request.assign(datagram.begin(), datagram.end());
  responder.last_reply.clear();
  carry_out(peer, with, *request, to, now);
  spare_nonce_.reset();
}

// Most requests are answered at once: one system call for the token and for the reply's nonce.
void Gatekeeper::renew_token(Session& with) {
  constexpr std::size_t kTokenSize = std::tuple_size_v<wire::Token>;
  const auto drawn = random_.bytes<kTokenSize + crypto::kNonceSize>();
  std::copy_n(drawn.begin(), kTokenSize, with.responder.token.begin());
  std::copy_n(drawn.begin() + kTokenSize, crypto::kNonceSize, spare_nonce_.emplace().begin());
}

crypto::Nonce Gatekeeper::new_nonce() {
  if (const auto spare = std::exchange(spare_nonce_, std::nullopt)) return *spare;
  return random_.bytes<crypto::kNonceSize>();
}

void Gatekeeper::carry_out(PeerIndex peer, Session& with, const wire::Request& request, const Responder::ReplyTo& to,
                           Time now) {
  const auto lease = granted(request.lease, directory_.get(peer)->lease);
  // What the peer answered to a question of before is not so any more.
  const bool is_companion = to.speaker == model::Speaker::kCompanion;
  const bool changes = request.operation != wire::Operation::kStatus;
  if (changes && with.exchange && with.exchange->operation == wire::Operation::kStatus) with.exchange.reset();
  switch (request.operation) {
    case wire::Operation::kUp:
      // A down of ours that was still being repeated would hit the session that the peer wants now.
      if (!with.attempt) abandon_down(peer, with, "the peer brought it up again");
      if (with.attempt) with.attempt->peer_wants_up = true;
      // Both ends ask: the one with the lower key starts WireGuard's handshake, lest two of them cross for ever.
      if (with.attempt && !is_companion && !request.responder_initiates &&
          directory_.get(peer)->public_key < own_public_key_) {
        with.attempt->leaves_handshake_to_peer = true;
        with.attempt->recreate_at = Time::max();
        with.attempt->install_early_at.reset();  // its initiation must find the entry that it makes now
      }
      // The preshared key of a session that is up is the business of those who have WireGuard.
      if (!is_companion || with.state != SessionState::kUp) (void)settle_key(peer, with, request);
      with.responder.pending = Responder::Pending{.ticket = new_ticket(),
                                                  .reply_to = to,
                                                  .lease = lease,
                                                  .initiates_handshake = request.responder_initiates,
                                                  .preshared_key = with.preshared_key};
      emit(InstallPeer{.peer = peer,
                       .ticket = with.responder.pending->ticket,
                       // The sender's entry is new. Keys that ours has from before would keep it from a new handshake.
                       .installation = request.responder_initiates ? Installation::kRecreate : Installation::kKeep,
                       .endpoint = endpoint_of_attempt(with),
                       .told_port = request.listen_port,
                       .initiate_handshake = request.responder_initiates,
                       .preshared_key = key_to_install(with, to.speaker)});
      return;
    case wire::Operation::kDown:
    case wire::Operation::kBye:
      if (is_companion && request.operation == wire::Operation::kBye)
        return answer_accepted(peer, with, to, no_host(), now);
      return carry_out_down(peer, with, request, to, now);
    case wire::Operation::kRenew: {
      if (with.state == SessionState::kUp && request.preshared_key && !servers_.contains(peer)) {
        with.responder.pending = Responder::Pending{.ticket = new_ticket(),
                                                    .reply_to = to,
                                                    .lease = lease,
                                                    .is_renewal = true,
                                                    .preshared_key = settle_key(peer, with, request)};
        return install(peer, with.responder.pending->ticket, with, Installation::kKeep, true, with.preshared_key);
      }
      wire::Reply reply = not_up();
      if (with.state == SessionState::kUp && !servers_.contains(peer)) {
        with.lease_end = lease_end(lease, now);
        reply = {.result = ResultCode::kOk};
      }
      return answer_accepted(peer, with, to, std::move(reply), now);
    }
    case wire::Operation::kStatus:
      return answer_accepted(peer, with, to, {.result = ResultCode::kOk}, now);
    case wire::Operation::kEnrol:
      with.responder.pending = Responder::Pending{.ticket = new_ticket(), .reply_to = to};
      return emit(EnrolPeer{peer, with.responder.pending->ticket, *request.enrolment});
    case wire::Operation::kClients: {
      wire::Reply reply;
      if (is_companion) {
        reply = no_host();
      } else if (is_fellow(peer)) {
        take_clients(peer, with, request.clients, now);
      } else {
        reply = {.result = ResultCode::kDenied, .text = "this host is no server of a group with you"};
      }
      return answer_accepted(peer, with, to, std::move(reply), now);
    }
  }
}

void Gatekeeper::responder_installed(PeerIndex peer, Session& with, const base::Result<Installed>& result, Time now) {
  const Responder::Pending done = *with.responder.pending;
  with.responder.pending.reset();
  wire::Reply reply;
  if (result && done.is_renewal && result->presence == wire::PeerPresence::kCreated) {
    reply = not_up();  // somebody took the peer away here: the other end must start afresh, too
  } else if (result) {
    if (!done.is_renewal) reply.presence = result->presence;
    if (done.preshared_key) reply.preshared_key_id = crypto::id_of(*done.preshared_key);
    with.lease_end = lease_end(done.lease, now);
    if (!done.is_renewal && servers_.erase(peer) != 0 && with.state == SessionState::kUp) {
      with.since = now;  // it came back from another server
      note_client(peer, now);
    }
    // An up of our own that is under way ends by its own handshake.
    if (!with.attempt) {
      set_state(peer, with, SessionState::kUp, {}, now);
      // Nobody waits for this one, but a keepalive that only served to start the handshake ends with it.
      if (done.initiates_handshake) emit(WatchHandshake{peer, new_ticket()});
    } else if (with.attempt->phase == Attempt::Phase::kShaking) {
      with.awaited = new_ticket();
      emit(WatchHandshake{peer, *with.awaited});  // the installation has ended the watch
    }
  } else {
    const bool conflict = result.error().code == base::ErrorCode::kConflict;
    reply.result = conflict ? ResultCode::kConflict : ResultCode::kInternal;
    reply.text = result.error().message;
    // A session that is up and cannot be renewed stays as it is, as it does at the other end. After an up the other end
    // has none, and there is nothing left to renew.
    if (with.attempt && with.state == SessionState::kUp && !done.is_renewal) {
      finish(peer, with.attempt->waiting, {.verdict = Verdict::kLocal, .text = result.error().message});
      with.attempt.reset();
      with.awaited.reset();
      with.exchange.reset();
    }
    if (!with.attempt && !done.is_renewal) {
      if (with.state == SessionState::kUp) remove_from_interface(peer);
      with.lease_end.reset();
      set_state(peer, with, SessionState::kFailed, result.error().message, now);
    }
  }
  answer_accepted(peer, with, done.reply_to, std::move(reply), now);
}

void Gatekeeper::enrolled(PeerIndex peer, Ticket ticket, const base::Status& result, Time now) {
  const auto found = sessions_.find(peer);
  if (found == sessions_.end()) return;
  Session& with = found->second;
  if (!with.responder.pending || with.responder.pending->ticket != ticket) return;
  const Responder::ReplyTo to = with.responder.pending->reply_to;
  with.responder.pending.reset();
  wire::Reply reply{.result = ResultCode::kOk};
  if (!result) {
    const base::ErrorCode code = result.error().code;
    const bool is_refusal = code == base::ErrorCode::kPermission || code == base::ErrorCode::kExists;
    reply = {.result = is_refusal ? ResultCode::kDenied : ResultCode::kInternal, .text = result.error().message};
  }
  answer_accepted(peer, with, to, std::move(reply), now);
  reschedule(peer, with, now);
}

void Gatekeeper::answer_accepted(PeerIndex peer, Session& with, const Responder::ReplyTo& to, wire::Reply reply,
                                 Time now) {
  with.responder.last_reply = answer(peer, with, to, std::move(reply), now);
}

void Gatekeeper::give(PeerIndex peer, const Responder::ReplyTo& to, wire::Datagram bytes) {
  switch (to.speaker) {
    case model::Speaker::kPeer:
      return emit(SendDatagram{peer, to.port, std::move(bytes)});
    case model::Speaker::kCompanion:
      return emit(AnswerCompanion{peer, std::move(bytes)});
  }
}

wire::Datagram Gatekeeper::answer(PeerIndex peer, Session& with, const Responder::ReplyTo& to, wire::Reply reply,
                                  Time now) {
  const auto keys = message_keys(peer, with, to.suite, to.speaker);
  if (!keys) return {};
  reply.token = with.responder.token;
  reply.listen_port = settings_.listen_port;
  reply.state = with.state;
  if (with.state == SessionState::kUp) {
    reply.up_for = std::chrono::floor<std::chrono::seconds>(now - with.since);
    if (with.lease_end) reply.lease = std::chrono::ceil<std::chrono::seconds>(*with.lease_end - now);
  }
  if (to.speaker == model::Speaker::kCompanion) {
    reply.responder_name = settings_.name;
    reply.peer_name = directory_.get(peer)->name;
  }
  const wire::Header header{.type = wire::MessageType::kReply,
                            .suite = to.suite,
                            .request_id = to.request_id,
                            .sender = own_public_key_,
                            .nonce = new_nonce()};
  auto datagram = wire::seal_message(header, (*keys)->sending, wire::create_reply(reply, to.size), to.size);
  give(peer, to, datagram);
  ++counters_.sent;
  return datagram;
}

}  // namespace anubis::gate

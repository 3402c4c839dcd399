// The gatekeeper: who may come in, and for how long. PURE: datagrams, commands, answers and the time go in, actions
// come out. It owns no socket, asks no clock, and knows nothing of netlink. One thread at a time.
//
// Messages are specified in docs/protocol.md; states in session.h.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/crypto/keys.h"
#include "lib/gate/action.h"
#include "lib/gate/key_agreement.h"
#include "lib/gate/session.h"
#include "lib/gate/token_bucket.h"
#include "lib/model/directory.h"
#include "lib/wire/message.h"

namespace anubis::gate {

// What others can make us do (docs/protocol.md, section 4.4).
struct Limits {
  // Datagrams of one peer: a script may bring something up and down 25 times a second for ever.
  Rate per_peer{.interval = std::chrono::milliseconds(20), .burst = 200};
  // Of all peers together. While this is exceeded, those who have used up half of their own burst have to wait: whoever
  // asks but now and then never does, however many there are of them.
  Rate in_all{.interval = std::chrono::microseconds(50), .burst = 20'000};
  // First contacts, each an X25519 (~60 µs): half of a processor at most, and not more than 60 ms of it at once.
  Rate first_contacts{.interval = std::chrono::microseconds(125), .burst = 1'024};
  // Sessions that are down with nothing under way, ~3 KB each. The one that was heard of longest ago is forgotten.
  std::size_t idle_sessions = 16'384;
  // Commands for one peer that wait for the same outcome: more than the daemon has clients are of those that went away.
  std::size_t waiting_commands = 64;
};

struct Settings {
  std::string name = {};                                                 // of this host; told to companions
  std::string group;                                                     // of which this host is a server; may be empty
  std::uint16_t listen_port = 4296;                                      // production; told to peers
  std::uint16_t service_port = 4298;                                     // where peers listen
  std::vector<crypto::Suite> suites{crypto::Suite::kXChaCha20Poly1305};  // that we use, any order, never none
  Limits limits = {};
};

struct Counters {
  std::array<std::uint64_t, wire::kDropReasons> dropped{};  // by wire::Drop
  std::uint64_t requests_accepted = 0;
  std::uint64_t replies_repeated = 0;
  std::uint64_t stale = 0;  // requests answered STALE
  std::uint64_t sent = 0;   // datagrams, repetitions included
};

// Whether the other end of a session that is up is heard on the production interface.
enum class Hearing : std::uint8_t {
  kHeard,
  kQuiet,   // nobody has spoken for minutes, and nobody had to
  kSilent,  // we speak, and it should have answered long ago
};

// For displays: the facts of one session.
struct SessionView {
  SessionState state = SessionState::kDown;
  bool initiator = false;  // it is our wish, or is becoming it
  std::string reason;
  base::Time since{};
  std::optional<base::Duration> lease_left;
  std::optional<Wish> wish;
  std::optional<base::Duration> retry_in;  // down, failed: until it is tried again
  std::optional<PeerIndex> server;         // another of our group, which the client is with
  Hearing hearing = Hearing::kHeard;
  base::Duration silent_for{0};  // kSilent
  // Messages from the peer's side address that its keys do not open, since the last one that they did.
  std::uint64_t unopened = 0;
};

class Gatekeeper {
 public:
  // directory, keys and random must outlive the gatekeeper.
  Gatekeeper(Settings settings, const model::PeerDirectory& directory, KeyAgreement& keys,
             const crypto::ProductionPublicKey& own_public_key, base::Random& random);

  // --- from the network ---------------------------------------------------------------------------------------------

  // A datagram on the side interface's service port, from this inner address and port.
  void receive(std::span<const std::uint8_t> datagram, const model::IpAddress& source, std::uint16_t port,
               base::Time now);
  // A message of a peer's companion, by whatever way, from this inner address. It is answered by AnswerCompanion, once
  // what it asked for is done; one that receive() would drop is not answered at all.
  void receive_from_companion(std::span<const std::uint8_t> message, const model::IpAddress& source, base::Time now);

  // --- from the user ------------------------------------------------------------------------------------------------
  // Each is answered by FinishCommand. The peer must be in the directory.

  // A wish from now on (wish.h). Idempotent.
  void up(CommandId command, PeerIndex peer, const UpRequest& request, base::Time now);
  // Ends the wish, too.
  void down(CommandId command, PeerIndex peer, base::Duration timeout, base::Time now);
  // As down, but says that we leave: unless it is for good, the other end, if it wishes, comes back by itself, or goes
  // to the successor. Our own wish ends when it is for good, or when there is a successor.
  void bye(CommandId command, PeerIndex peer, const Farewell& farewell, base::Duration timeout, base::Time now);
  // The whole host leaves: from now on nobody is let in and no wish is tried. Sessions end by bye().
  void leave(base::Time now);

  // --- from the executor --------------------------------------------------------------------------------------------

  void resolved(PeerIndex peer, Ticket ticket, base::Result<model::Endpoint> endpoint, base::Time now);
  void installed(PeerIndex peer, Ticket ticket, base::Result<Installed> result, base::Time now);
  void removed(PeerIndex peer, Ticket ticket, base::Status result, base::Time now);
  // kPermission, kExists: the answer is DENIED, with the error's words.
  void enrolled(PeerIndex peer, Ticket ticket, const base::Status& result, base::Time now);
  void handshake_seen(PeerIndex peer, Ticket ticket, base::Time now);

  // At the start, for each peer that stands on the production interface or is remembered. What stands there and was
  // up is up, untouched; nothing remembered of it: a session of the peer's, with the configured lease from now. What
  // was under way is ended at both ends, or begun again if it is wished.
  void resume(PeerIndex peer, const std::optional<Remembered>& remembered, bool is_installed, base::Time now);
  // Such a peer, on which no Anubis runs, stood on the interface before there was one here: it is wished, as if a user
  // had asked for it persistently.
  void keep(PeerIndex peer, base::Time now);
  // The production interface was made anew: installs all sessions that are up again.
  void reinstall_all(base::Time now);
  // It has gone and cannot be had back for now: says bye to all. Wishes are tried again.
  void interface_lost(base::Time now);
  // Something may be better than it was: the network is another one, or the production interface is back. Wishes that
  // wait are tried now, and sessions that are up make themselves heard.
  void network_changed(base::Time now);
  // What WireGuard says of a session that is up; to be told again after what is returned.
  base::Duration observe(PeerIndex peer, const Observation& seen, base::Time now);
  // The peer's configuration changed: derives keys anew, and brings a session that is up into line.
  void peer_changed(PeerIndex peer, base::Time now);
  // The peer is no longer authorised: takes its session down here and forgets it. Call after the directory dropped it.
  void peer_removed(PeerIndex peer, base::Time now);
  // Call it at the start and after each change of the directory: servers of our own group may be others.
  void find_fellows(base::Time now);
  // At the start: the client is carried by that server of our group since before.
  void resume_with(PeerIndex client, PeerIndex server) { servers_[client] = {.server = server}; }
  // Learns the peer's token (by a status request), so that the first up needs no second question.
  void warm_up(PeerIndex peer, base::Time now);

  // --- time ---------------------------------------------------------------------------------------------------------

  void advance(base::Time now);
  // When advance() wants to be called next.
  [[nodiscard]] std::optional<base::Time> next_timer() const;

  // --- out ----------------------------------------------------------------------------------------------------------

  // All that is to be done since the last call, in order.
  [[nodiscard]] Actions take_actions();
  [[nodiscard]] SessionView view(PeerIndex peer, base::Time now) const;
  [[nodiscard]] std::size_t sessions_up() const { return sessions_up_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  // gatekeeper.cc
  // Valid until another suite's are asked for.
  base::Result<const crypto::MessageKeys*> message_keys(PeerIndex peer, Session& session, crypto::Suite suite,
                                                        model::Speaker speaker = model::Speaker::kPeer);
  Ticket new_ticket() { return Ticket{++last_ticket_}; }
  // Made in its place: g++ 12 warns of moving a variant of nine.
  template <class Kind>
  void emit(Kind action) {
    actions_.emplace_back(std::in_place_type<Kind>, std::move(action));
  }
  void set_state(PeerIndex peer, Session& session, SessionState state, std::string reason, base::Time now);
  void void_token(Session& session);
  void finish(PeerIndex peer, std::vector<CommandId>& commands, const Outcome& outcome);
  void install(PeerIndex peer, Ticket ticket, const Session& session, Installation installation, bool with_routes,
               SharedPresharedKey preshared_key = nullptr);
  [[nodiscard]] static std::optional<model::Endpoint> endpoint_of_attempt(const Session& session);
  void remove_from_interface(PeerIndex peer) { emit(RemovePeer{peer, new_ticket()}); }
  // Due at the end of whatever may have changed the session.
  void reschedule(PeerIndex peer, Session& session, base::Time now);
  void wake(PeerIndex peer, Session& session, base::Time now);
  void drop(wire::Drop reason) { ++counters_.dropped[static_cast<std::size_t>(reason)]; }

  // initiator.cc: what is asked of a peer
  void ask(PeerIndex peer, Session& session, wire::Operation operation, base::Time now);
  void repeat(PeerIndex peer, Session& session, base::Time now);
  [[nodiscard]] bool we_initiate_handshake(PeerIndex peer, const Session& session) const;
  void prepare_early_install(PeerIndex peer, Session& session, base::Time now);
  void install_early(PeerIndex peer, Session& session);
  void begin_up(PeerIndex peer, Session& session, base::Time now);
  void take_reply(PeerIndex peer, Session& session, const wire::Header& header, std::span<const std::uint8_t> datagram,
                  base::Time now);
  void take_up_reply(PeerIndex peer, Session& session, const Exchange& answered, const wire::Reply& reply,
                     base::Time now);
  void take_renew_reply(PeerIndex peer, Session& session, const Exchange& answered, const wire::Reply& reply,
                        base::Time now);
  void shake(PeerIndex peer, Session& session, base::Time now);
  void end_attempt(PeerIndex peer, Session& session, Outcome outcome, base::Time now);
  void fail_attempt(PeerIndex peer, Session& session, Verdict verdict, std::string text, base::Time now);
  void take_status_reply(PeerIndex peer, Session& session, const wire::Reply& reply, base::Time now);

  // farewell.cc: down and bye, at both ends
  void leave_session(CommandId command, PeerIndex peer, wire::Operation operation, base::Duration timeout,
                     base::Time now);
  // operation: kDown or kBye. The reason is said once it is down.
  void begin_down(PeerIndex peer, Session& session, wire::Operation operation, std::string reason, base::Time now);
  void take_down_reply(PeerIndex peer, Session& session, const wire::Reply& reply, base::Time now);
  void finish_down_if_complete(PeerIndex peer, Session& session, base::Time now);
  void abandon_down(PeerIndex peer, Session& session, std::string why);
  void carry_out_down(PeerIndex peer, Session& session, const wire::Request& request, const Responder::ReplyTo& to,
                      base::Time now);
  void responder_removed(PeerIndex peer, Session& session, const base::Status& result, base::Time now);
  void follow_successor(Session& session, base::Time now);

  // wishes.cc: what is done by itself, so that wishes come true and stay so
  [[nodiscard]] std::chrono::seconds lease_to_ask(PeerIndex peer, const Session& session, base::Time now) const;
  void fulfilled(PeerIndex peer, Session& session, base::Time now);
  void plan_wish(Session& session, base::Time now);
  void wake_wish(PeerIndex peer, Session& session, base::Time now);
  void try_again(PeerIndex peer, Session& session, base::Time now);
  void nudge(PeerIndex peer, std::optional<model::Endpoint> endpoint);
  void look_for(PeerIndex peer, Session& session, base::Time now);
  [[nodiscard]] base::Duration spread(base::Duration duration);

  // fail_over.cc: of several servers of a group, one
  [[nodiscard]] bool are_of_one_group(PeerIndex a, PeerIndex b) const;
  [[nodiscard]] std::vector<PeerIndex> others_in_use(PeerIndex peer) const;
  void take_over_group(PeerIndex peer, Attempt& attempt);
  void came_up(PeerIndex peer, Session& session, base::Time now);
  void leave_others(PeerIndex peer, base::Time now);
  [[nodiscard]] bool may_fail_over(PeerIndex peer, const Session& session) const;
  void try_next_server(PeerIndex peer, Session& session, const Attempt& failed, Verdict why, base::Time now);
  void watch_server(PeerIndex peer, Session& session, base::Time now);
  void note_answer(Session& session, base::Time now);
  void fail_over(PeerIndex peer, Session& session, base::Time now);
  void wake_fail_over(PeerIndex peer, Session& session, base::Time now);
  [[nodiscard]] std::optional<PeerIndex> next_of_group(PeerIndex peer, const Session& session, base::Time now) const;
  bool begin_instead_of(PeerIndex peer, PeerIndex lost, const Wish& wish, base::Time now);
  void look_whether_back(Session& session, base::Time now);

  // group.cc: servers of our own group tell one another who is with whom
  [[nodiscard]] bool is_fellow(PeerIndex peer) const;
  void note_client(PeerIndex peer, base::Time now);
  void tell_fellows(base::Time now);
  [[nodiscard]] wire::Clients clients_to_tell(Session& fellow, base::Time now) const;
  void plan_telling(PeerIndex peer, Session& session, base::Time now);
  void take_clients_reply(Session& session, const Exchange& answered, const wire::Reply& reply);
  void take_clients(PeerIndex fellow, Session& session, const wire::Clients& clients, base::Time now);
  void client_moved(PeerIndex client, PeerIndex server, base::Time up_since, base::Time now);
  void client_left(PeerIndex client, PeerIndex server, base::Time now);
  void wake_group(PeerIndex peer, Session& session, base::Time now);

  // memory.cc: what outlives the process
  void remember(PeerIndex peer, Session& session);

  // plain.cc: peers on which no Anubis runs
  [[nodiscard]] bool is_plain(PeerIndex peer) const;
  [[nodiscard]] bool comes_by_itself(PeerIndex peer) const;
  void install_plain(PeerIndex peer, Session& session);
  void end_wish_with_lease(PeerIndex peer, Session& session, base::Time now) const;

  // limits.cc
  // Made when there is none yet; another one that is idle may go for it.
  Session& session(PeerIndex peer);
  // Whether this datagram is within its sender's share.
  [[nodiscard]] bool is_within_share(Session& session, base::Time now);
  void turn_away(CommandId command, PeerIndex peer);
  // Puts the session where it belongs among the idle ones, or takes it out.
  void note_idleness(PeerIndex peer, Session& session);

  // suite_choice.cc
  [[nodiscard]] crypto::Suite suite_to_ask_in(const Session& session) const;
  std::optional<std::string> ask_in_another_suite(PeerIndex peer, Session& session, const wire::Reply& reply,
                                                  base::Time now);
  void forget_suite(PeerIndex peer, Session& session, base::Time now);
  void fail_unanswered(PeerIndex peer, Session& session, base::Time now);

  // preshared_key.cc
  [[nodiscard]] SharedPresharedKey fresh_key();
  [[nodiscard]] SharedPresharedKey key_to_send(const Session& session, wire::Operation operation);
  [[nodiscard]] SharedPresharedKey settle_key(PeerIndex peer, Session& session, const wire::Request& request);
  [[nodiscard]] static bool must_ask_on(const Session& session);
  [[nodiscard]] bool must_ask_again(const Session& session, const wire::Reply& reply) const;
  [[nodiscard]] static SharedPresharedKey take_key(Session& session, const SharedPresharedKey& sent,
                                                   const wire::Reply& reply);

  // responder.cc: what a peer, or its companion, asks of us
  void take_request(PeerIndex peer, Session& session, const wire::Header& header,
                    std::span<const std::uint8_t> datagram, model::Speaker speaker, std::uint16_t port, base::Time now);
  // The answer, to where the request came from.
  void give(PeerIndex peer, const Responder::ReplyTo& to, wire::Datagram bytes);
  void carry_out(PeerIndex peer, Session& session, const wire::Request& request, const Responder::ReplyTo& to,
                 base::Time now);
  void responder_installed(PeerIndex peer, Session& session, const base::Result<Installed>& result, base::Time now);
  // Sends the reply and returns it; token, port, lease and state are filled in. Empty, and nothing is sent, when there
  // are no keys any more.
  wire::Datagram answer(PeerIndex peer, Session& session, const Responder::ReplyTo& to, wire::Reply reply,
                        base::Time now);
  // The answer to an accepted request: kept for its repetitions.
  void answer_accepted(PeerIndex peer, Session& session, const Responder::ReplyTo& to, wire::Reply reply,
                       base::Time now);
  void renew_token(Session& session);
  [[nodiscard]] crypto::Nonce new_nonce();

  Settings settings_;
  const model::PeerDirectory& directory_;
  KeyAgreement& keys_;
  crypto::ProductionPublicKey own_public_key_;
  base::Random& random_;
  std::unordered_map<PeerIndex, Session> sessions_;  // of peers in use, not of all that are authorised
  std::set<std::pair<base::Time, PeerIndex>> timers_;
  std::list<PeerIndex> idle_;  // the one that was heard of longest ago first
  TokenBucket in_all_;
  TokenBucket first_contacts_;
  Actions actions_;
  Counters counters_;
  std::uint64_t last_ticket_ = 0;
  std::vector<PeerIndex> fellows_;
  struct WithServer {
    PeerIndex server{};
    bool is_doubtful = false;  // the server began to tell its clients afresh, and has not come to this one yet
  };
  std::unordered_map<PeerIndex, WithServer> servers_;  // by client
  std::set<PeerIndex> changed_clients_;                // of whom the fellows are to be told
  base::Time changed_at_{};
  bool leaving_ = false;
  std::size_t sessions_up_ = 0;
  // Drawn together with the token of the request that is being looked at; used once, and not kept beyond it.
  std::optional<crypto::Nonce> spare_nonce_;
};

}  // namespace anubis::gate

// What the gatekeeper remembers of one peer in use.
//
//                up typed here, or asked for and installed
//        ┌──────┐ ──────────────────────────────────────────────┐
//        │ down │                                               │ (asked for: directly)
//        └──────┘ ◄────────────────────┐                        ▼
//            │ ▲                       │                  ┌──────────┐
//     up     │ │ peer removed          │  down, lease     │    up    │
//            ▼ │                       │  ran out         └──────────┘
//      ┌──────────┐  down, asked ┌────────────┐               ▲  │
//      │ going-up │ ───────────► │ going-down │ ◄─────────────┼──┘ down
//      └──────────┘              └────────────┘               │
//            │ └─── handshake seen ───────────────────────────┘
//            ▼
//       ┌────────┐
//       │ failed │  as down, with the reason; the next up starts again
//       └────────┘
//
//   down        the peer is not on the production interface
//   going-up    we asked the peer, or install it, or wait for the handshake
//   up          both ends have the peer (as responder: we have, and have answered)
//   going-down  removed here; the peer has not confirmed yet
//   failed      the last up did not succeed; nothing is left on the production interface
//
// Beside the state stands the wish (wish.h): while there is one, a session that is down or failed is brought up again
// by and by, and one that is up is renewed in time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/crypto/sealing.h"
#include "lib/gate/action.h"
#include "lib/gate/liveness.h"
#include "lib/gate/token_bucket.h"
#include "lib/gate/wish.h"
#include "lib/wire/message.h"
#include "lib/wire/reply.h"
#include "lib/wire/request.h"

namespace anubis::gate {

using SharedPresharedKey = std::shared_ptr<const crypto::WireGuardPresharedKey>;

// The responder's half: what stands between a request and its second effect.
struct Responder {
  wire::Token token{};  // what the peer's next request must carry

  // The last accepted request, as received, and what was answered. The same bytes get the same reply.
  wire::Datagram last_request;
  wire::Datagram last_reply;  // empty: still being carried out, or void since a local change

  // Where an answer goes, and what it must match.
  struct ReplyTo {
    wire::RequestId request_id{};
    crypto::Suite suite{};
    model::Speaker speaker{};
    std::uint16_t port = 0;
    std::size_t size = 0;  // of the request, and so of the reply
  };

  // An accepted request whose installation or removal is under way.
  struct Pending {
    Ticket ticket{};
    ReplyTo reply_to;
    std::chrono::seconds lease{0};
    bool initiates_handshake = false;  // we do, WireGuard's
    bool is_renewal = false;
    SharedPresharedKey preshared_key;  // what the session will have; null: none
    bool is_removal = false;           // down, bye; else up, renew
    std::string reason;                // of a removal, said when it is done
  };
  std::optional<Pending> pending;
};

// A responder whose token, or choice of suite, changes faster than we can ask is not one that answers.
constexpr unsigned kMaxAskedAgain = 8;

// One request of ours and its repetitions, until it is answered or given up.
struct Exchange {
  wire::Operation operation = wire::Operation::kStatus;
  wire::RequestId request_id{};
  crypto::Suite suite{};
  wire::Datagram datagram;
  base::Time first_sent{};  // of this datagram
  base::Time last_sent{};
  base::Time next_send{};
  unsigned sent = 0;                 // times
  unsigned asked_again = 0;          // answers so far that asked for another request, over all of its requests
  SharedPresharedKey preshared_key;  // that the request carries; null: none
  bool overruled = false;            // since it was sent we have taken the peer's own key
  wire::Clients clients;             // that the request tells of
};

// What we are doing as initiator, and since when.
struct Attempt {
  enum class Phase : std::uint8_t {
    kResolving,  // the endpoint's name
    kAsking,     // request sent, not answered
    kInstalling,
    kShaking,     // both ends have the peer: waiting for WireGuard's handshake
    kTakingOver,  // it has shaken hands: it gets what another of its group has
  };
  Phase phase = Phase::kResolving;
  base::Time started{};
  base::Time deadline{};
  Wish wish;
  std::vector<CommandId> waiting;       // none: it is tried again by itself
  bool takes_over = false;              // what others of the group have, but not before it shakes hands
  bool leaves_others = false;           // takes the others of the group down once it is up
  std::optional<PeerIndex> instead_of;  // the one that was lost
  std::optional<model::Endpoint> endpoint;
  std::optional<base::Time> install_early_at{};  // kAsking: when to install the peer without waiting for the reply
  bool peer_wants_up = false;                    // we have accepted an up of the peer's meanwhile
  bool leaves_handshake_to_peer = false;         // it asks for the same at the same time, and is the one to start it
  bool installed_early = false;                  // the peer is on our interface already, without routes
  std::uint16_t told_port = 0;                   // the peer's production listen port, in its own words
  base::Duration round_trip{0};                  // of the exchange
  base::Time recreate_at{};  // kShaking: when to start WireGuard afresh; never, when the peer starts it
  base::Duration recreate_after{0};
};

// What a bye says (docs/protocol.md, 9.6).
struct Farewell {
  bool for_good = false;  // as a down: nobody shall come back by himself
  std::optional<crypto::ProductionPublicKey> successor;
};

// What we know of a server of our own group, and it of us (group.cc).
struct Fellow {
  std::set<PeerIndex> to_tell;            // clients that came or went since it was told
  bool tell_afresh = false;               // it knows nothing of us
  bool has_told = false;                  // all of its clients
  std::optional<base::Time> complete_at;  // when clients that it has not told of afresh are no longer its own
};

// Of a server that may fail, and of those that stand in for it (fail_over.cc).
struct FailOver {
  std::optional<base::Time> asked_at;  // whether it is still there
  std::optional<base::Time> lost_at;   // when it is given up, if it is not heard before
  std::optional<PeerIndex> last_tried;
  std::optional<base::Time> shunned_until;  // it was given up: nobody fails over to it before
  unsigned given_up = 0;                    // times, of late
  std::optional<PeerIndex> came_from;       // to go back there when it is well again
  std::optional<base::Time> probe_at;       // when it is asked whether it is
  std::optional<base::Time> answers_since;
};

struct Session {
  SessionState state = SessionState::kDown;
  std::string reason;
  base::Time since{};                     // of the state
  std::optional<base::Time> lease_end{};  // none: until down

  std::optional<Wish> wish;
  unsigned failures = 0;                // to fulfil it, since it was fulfilled last
  std::optional<base::Time> retry_at;   // down, failed: when it is tried again
  std::optional<base::Time> renew_at;   // up: when the other end is asked whether it still is
  std::optional<base::Time> look_at;    // up: before, an observation that it is not heard has no consequence
  std::optional<Ticket> looking;        // the action whose answer tells where the peer is now
  Liveness liveness;                    // while up
  std::optional<base::Time> forget_at;  // up, but told to be with another server: when that is believed
  Fellow fellow;
  FailOver fail_over;

  // WireGuard's, as both ends have it as far as we know; null: none, or not known. Only while the session lives.
  SharedPresharedKey preshared_key;

  // Of each suite that was used with the peer or its companion so far.
  struct SuiteKeys {
    model::Speaker speaker{};
    crypto::Suite suite{};
    crypto::MessageKeys keys;
  };
  std::vector<SuiteKeys> keys;
  std::optional<crypto::Suite> suite;     // the strongest that both of us have, as far as we know
  std::optional<wire::Token> peer_token;  // what our next request to the peer must carry, as far as we know

  Responder responder;
  std::optional<Exchange> exchange;
  std::optional<Attempt> attempt;       // state going-up, and up while it is being renewed
  std::vector<CommandId> down_waiting;  // commands that wait for the peer's confirmation of down
  Farewell farewell;                    // of the bye that is being said
  std::string down_reason;              // going-down: why, once it is down
  std::optional<PeerIndex> successor;   // a bye was accepted, and told whom to ask instead
  base::Time down_started{};
  std::optional<base::Time> down_deadline;  // when those are told that it did not come
  bool peer_may_be_up = false;  // an up of ours may have had its effect there, and no down was confirmed since

  // Messages from the peer's side address that its keys do not open, since the last one that they did.
  std::uint64_t unopened = 0;

  std::optional<Remembered> remembered;  // as it was last told by RememberSession

  std::optional<Ticket> awaited;      // the action whose answer the initiator's half waits for
  std::optional<base::Time> wake_at;  // as it stands in the timer queue

  TokenBucket share;                                      // of the peer's datagrams
  std::optional<std::list<PeerIndex>::iterator> idle_at;  // in the gatekeeper's list of those
};

// Something is asked that must not be given up for something else. Telling a fellow goes on by itself later.
[[nodiscard]] inline bool is_asking(const Session& session) {
  return session.exchange && session.exchange->operation != wire::Operation::kClients;
}

}  // namespace anubis::gate

// What the gatekeeper wants done, and what it reports. Plain values: whoever executes them owns the sockets, the
// devices and the resolver.
//
// Contract of the executor: actions are carried out in the order given. Each action that carries a Ticket is answered
// exactly once, by the Gatekeeper's function that the action names, with the same ticket.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/gate/wish.h"
#include "lib/model/endpoint.h"
#include "lib/model/peer.h"
#include "lib/wire/reply.h"
#include "lib/wire/request.h"

namespace anubis::gate {

using model::PeerIndex;

// Ties the answer to an action to the question; an answer that came too late carries one that nobody waits for.
enum class Ticket : std::uint64_t {};

// Chosen by whoever gives the command; comes back in FinishCommand.
enum class CommandId : std::uint64_t {};

using wire::SessionState;
// Nothing of it stands here, nor is about to; whether its last up failed does not matter.
[[nodiscard]] constexpr bool is_down(SessionState state) {
  return state == SessionState::kDown || state == SessionState::kFailed;
}
[[nodiscard]] const char* name_of(SessionState state);  // "down", "going-up", … as in `anubis status --json`

// To the peer's side address, at `port`, from our own service port.
struct SendDatagram {
  PeerIndex peer{};
  std::uint16_t port = 0;
  wire::Datagram bytes;
};

// To the page that gave receive_from_companion() its message, by the way that it came.
struct AnswerCompanion {
  PeerIndex peer{};
  wire::Datagram bytes;
};

// Find the address of the peer's production endpoint: resolve the configured name, or, for a roamer, take the address
// at which its side tunnel was last heard. → Gatekeeper::resolved
struct ResolveEndpoint {
  PeerIndex peer{};
  Ticket ticket{};
};

enum class Installation : std::uint8_t {
  kKeep,      // a matching peer stays as it is; one that differs is changed the least
  kRecreate,  // remove and add, so that WireGuard starts afresh with a new handshake
};

// Add the peer to the production interface with the AllowedIPs of our own configuration. → Gatekeeper::installed
struct InstallPeer {
  PeerIndex peer{};
  Ticket ticket{};
  Installation installation = Installation::kKeep;
  // None: the executor looks for one as in ResolveEndpoint, but does not wait for a resolver.
  std::optional<model::Endpoint> endpoint;
  // What the peer says of its production listen port; for a roamer. Zero: not known.
  std::uint16_t told_port = 0;
  bool initiate_handshake = false;
  bool with_routes = true;
  bool take_over = false;  // what others of its group have of its AllowedIPs
  // WireGuard's, of this session; all zero: none. Null: as it is.
  std::shared_ptr<const crypto::WireGuardPresharedKey> preshared_key;
};

struct Installed {
  wire::PeerPresence presence = wire::PeerPresence::kCreated;
};

// The client is with this other server of our group, so that what is for it goes there; none: with nobody that we know
// of. Nothing is answered.
struct CarryClient {
  PeerIndex client{};
  std::optional<PeerIndex> server;
};

// The peer, an invitation, has sent whom it wants to be: have it enrolled, by whoever can check the proof.
// → Gatekeeper::enrolled
struct EnrolPeer {
  PeerIndex peer{};
  Ticket ticket{};
  wire::Enrolment enrolment;
};

// Take away the peer's routes, then the peer. → Gatekeeper::removed
struct RemovePeer {
  PeerIndex peer{};
  Ticket ticket{};
};

// Look at the production peer until WireGuard has completed a handshake since it was last created.
// → Gatekeeper::handshake_seen, once it is seen, if ever. A later action for the same peer ends the watch; then no
// answer is owed.
struct WatchHandshake {
  PeerIndex peer{};
  Ticket ticket{};
};

enum class Verdict : std::uint8_t {
  kDone,
  kNoEndpoint,   // the name does not resolve, or a roamer was never heard: text says which
  kNoAnswer,     // the peer's daemon did not answer in time
  kRefused,      // it did, with another code than OK: code, and text in its words
  kNoHandshake,  // both ends have the peer, but WireGuard's handshake did not complete in time
  kLocal,        // our own interface or routes could not be changed: text says why
  kSuperseded,   // a later command, or the peer, decided otherwise: text says which
};

struct Outcome {
  Verdict verdict = Verdict::kDone;
  bool was_so_already = false;  // kDone: nothing had to be changed
  wire::ResultCode code = wire::ResultCode::kOk;
  bool is_tried_again = false;  // otherwise: in the background, until it works
  std::string text;
  base::Duration took{0};
};

struct FinishCommand {
  CommandId command{};
  PeerIndex peer{};
  Outcome outcome;
};

// A session changed its state, or its reason.
struct SessionChanged {
  PeerIndex peer{};
  SessionState state = SessionState::kDown;
  bool initiator = false;
  std::string reason;
};

// What of a session the next process must know, however this one ends.
struct Remembered {
  bool up = false;
  // Not up, but for all that we know the other end has it up: an up of ours, or a down, is not answered yet.
  bool peer_may_be_up = false;
  bool down_for_good = false;           // with that: our user wants it down
  bool renewing = false;                // we sent the peer a new preshared key, and it has not said yet that it took it
  base::Time since{};                   // of the state
  std::optional<base::Time> lease_end;  // none: until down
  std::optional<Wish> wish;
  bool operator==(const Remembered&) const = default;
};

// Keep this for Gatekeeper::resume of the next process: facts before anything that comes with them is carried out, so
// that no effect is forgotten. None: forget it, when all that came before has been carried out.
struct RememberSession {
  PeerIndex peer{};
  std::optional<Remembered> facts;
};

using Action = std::variant<SendDatagram, AnswerCompanion, ResolveEndpoint, InstallPeer, RemovePeer, WatchHandshake,
                            FinishCommand, SessionChanged, RememberSession, CarryClient, EnrolPeer>;
using Actions = std::vector<Action>;

}  // namespace anubis::gate

// What a responder answers: how it is created and how it is consumed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/wire/message.h"
#include "lib/wire/request.h"

namespace anubis::wire {

enum class ResultCode : std::uint8_t {
  kOk = 1,
  kDenied = 2,      // the responder's configuration or policy does not allow it
  kStale = 3,       // another token is current; the reply carries it
  kConflict = 4,    // the peer's allowed IPs are held by another peer of the responder's interface
  kVersion = 5,     // an operation that the responder does not know
  kSuite = 6,       // the suite is not the best one that both have, or the offer lacks it
  kBusy = 7,        // ask again later
  kBadRequest = 8,  // authentic, but malformed
  kInternal = 9,    // the responder failed; the text says where
  kNotUp = 10,      // renew of a session that is not up
};
[[nodiscard]] const char* name_of(ResultCode code);  // "OK", "DENIED", …

enum class PeerPresence : std::uint8_t { kNotApplicable = 0, kCreated = 1, kFound = 2 };

// A session as one end sees it.
enum class SessionState : std::uint8_t { kDown = 1, kGoingUp = 2, kUp = 3, kGoingDown = 4, kFailed = 5 };

struct Reply {
  ResultCode result = ResultCode::kOk;
  std::string text;               // why, when result is not OK; printable UTF-8 once consumed
  Token token{};                  // the one that the next request must carry
  std::uint16_t listen_port = 0;  // the responder's production listen port; 0: not told
  PeerPresence presence = PeerPresence::kNotApplicable;
  std::chrono::seconds lease{0};  // what is left, rounded up, so that a lease that ends is never zero: until down
  SessionState state = SessionState::kDown;
  std::chrono::seconds up_for{0};
  // up, renew: the preshared key that the responder has for the session now; none: none.
  std::optional<crypto::PresharedKeyId> preshared_key_id = {};
  std::vector<crypto::Suite> suites =
      {};  // SUITE: those that the responder would use; consumed: of them, those we know

  // To a companion only: our own name, and the peer's. Names of the configuration; printable once consumed.
  std::string responder_name = {};
  std::string peer_name = {};

  bool operator==(const Reply&) const = default;
};

// The payload that seal_message takes for a datagram of `size` bytes, the size of the request: the text is cut (at a
// character's border) to fit. size ≥ kRequestSize.
[[nodiscard]] std::vector<std::uint8_t> create_reply(const Reply& reply, std::size_t size = kRequestSize);
// None when the payload is malformed or carries a number that this program does not know. An unknown result code comes
// back as kInternal with a text that names the number, so that an initiator can tell its user.
[[nodiscard]] std::optional<Reply> consume_reply(std::span<const std::uint8_t> payload);

}  // namespace anubis::wire

// What an initiator asks of a responder: how it is created and how it is consumed.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "lib/crypto/invitation.h"
#include "lib/crypto/keys.h"
#include "lib/crypto/suites.h"
#include "lib/wire/message.h"

namespace anubis::wire {

using Token = std::array<std::uint8_t, 16>;

// No lease is longer: ten years of 365 days. A request for more is malformed.
constexpr std::chrono::seconds kMaxLease = std::chrono::hours(24) * 365 * 10;

enum class Operation : std::uint8_t { kUp = 1, kDown = 2, kStatus = 3, kBye = 4, kRenew = 5, kClients = 6, kEnrol = 7 };
[[nodiscard]] const char* name_of(Operation operation);  // "up", …

// A client of a group of servers, whose session is up at the sender.
struct HeldClient {
  crypto::ProductionPublicKey public_key;
  std::chrono::milliseconds up_for{0};
  bool operator==(const HeldClient&) const = default;
};

// What servers of a group tell one another.
struct Clients {
  std::vector<HeldClient> held;
  std::vector<crypto::ProductionPublicKey> released;
  bool afresh = false;  // what was told before is void
  bool asks = false;    // the receiver shall tell its own
  bool operator==(const Clients&) const = default;
};
// So many, held and released together, fit the largest datagram; so many of them one of kRequestSize.
constexpr std::size_t kMaxClients = 24;
constexpr std::size_t kFewClients = 8;

// The host that an invited one wants to be from now on, and that whoever has the invitation wants it.
struct Enrolment {
  crypto::ProductionPublicKey public_key;
  crypto::SidePublicKey side_public_key;
  crypto::Proof proof{};
  bool operator==(const Enrolment&) const = default;
};

struct Request {
  Operation operation = Operation::kStatus;
  std::optional<Token> token;                            // none: not known
  std::vector<crypto::Suite> suites;                     // offered; consumed: those of them that we know, each once
  std::uint16_t listen_port = 0;                         // the sender's production listen port; 0: not told
  std::chrono::seconds lease{0};                         // up, renew; zero: until down
  std::optional<crypto::ProductionPublicKey> successor;  // bye only
  bool for_good = false;                                 // bye: nobody shall come back by himself
  bool responder_initiates = false;                      // up: starts WireGuard's handshake; else the sender does
  // up, renew: WireGuard's, for this session; not all zero. Null: none.
  std::shared_ptr<const crypto::WireGuardPresharedKey> preshared_key;
  Clients clients;                     // clients only; at most kMaxClients
  std::optional<Enrolment> enrolment;  // enrol only, and always then

  bool operator==(const Request& other) const;  // preshared keys by their bytes
};

// Why an authentic payload is no request; both are answered.
struct RequestFault {
  enum class Kind : std::uint8_t {
    kMalformed,         // no protobuf, no operation, or a field out of its range: BAD_REQUEST
    kUnknownOperation,  // of a later version: VERSION
  };
  Kind kind = Kind::kMalformed;
  std::string text;  // for people
};

// The payload that seal_message takes; always fits a datagram of kRequestSize, or, with more than kFewClients, one of
// kMaxDatagramSize. lease ≤ kMaxLease, or the
// responder refuses it.
[[nodiscard]] base::WipedBytes create_request(const Request& request);
[[nodiscard]] tl::expected<Request, RequestFault> consume_request(std::span<const std::uint8_t> payload);

}  // namespace anubis::wire

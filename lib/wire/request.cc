#include "lib/wire/request.h"

#include <algorithm>
#include <limits>

#include <fmt/core.h>
#include <string.h>

#include "gate.pb.h"
#include "lib/crypto/same_key.h"
#include "lib/wire/fields.h"
#include "lib/wire/suites.h"

namespace anubis::wire {
namespace {

// In the order of the field numbers of gate.proto.
constexpr std::array kFields{FieldType::kVarint, FieldType::kBytes, FieldType::kVarints, FieldType::kVarint,
                             FieldType::kVarint, FieldType::kBytes, FieldType::kVarint,  FieldType::kBytes,
                             FieldType::kVarint, FieldType::kBytes, FieldType::kBytes,   FieldType::kVarint,
                             FieldType::kVarint, FieldType::kBytes};

// Protobuf leaves what it held in memory.
struct Wiper {
  ::anubis::gate::Request& message;

  ~Wiper() {
    std::string& key = *message.mutable_preshared_key();
    explicit_bzero(key.data(), key.size());
  }
};

std::optional<Operation> find_operation(std::uint64_t number) {
  if (number > 0xff) return std::nullopt;
  const auto operation = static_cast<Operation>(number);
  switch (operation) {
    case Operation::kUp:
    case Operation::kDown:
    case Operation::kStatus:
    case Operation::kBye:
    case Operation::kRenew:
    case Operation::kClients:
    case Operation::kEnrol:
      return operation;
  }
  return std::nullopt;
}

constexpr std::size_t kAgeSize = 8;
constexpr std::size_t kHeldSize = crypto::kKeySize + kAgeSize;

void put_clients(const Clients& clients, ::anubis::gate::Request& message) {
  for (const HeldClient& each : clients.held) {
    std::string& held = *message.mutable_held();
    held.append(each.public_key.bytes.begin(), each.public_key.bytes.end());
    const auto age = static_cast<std::uint64_t>(each.up_for.count());
    for (std::size_t i = kAgeSize; i-- > 0;) held.push_back(static_cast<char>(age >> (8 * i)));
  }
  for (const auto& key : clients.released) message.mutable_released()->append(key.bytes.begin(), key.bytes.end());
  message.set_afresh(clients.afresh ? 1 : 0);
  message.set_asks(clients.asks ? 1 : 0);
}

tl::unexpected<RequestFault> malformed(std::string text) {
  return tl::unexpected(RequestFault{RequestFault::Kind::kMalformed, std::move(text)});
}

tl::expected<Clients, RequestFault> get_clients(const ::anubis::gate::Request& message) {
  // Nobody has been up for longer than this; whoever says so must not make us count beyond what a number holds.
  constexpr std::uint64_t kLongest = std::uint64_t{1} << 48;
  const std::string& held = message.held();
  const std::string& released = message.released();
  if (held.size() % kHeldSize != 0 || released.size() % crypto::kKeySize != 0) {
    return malformed(fmt::format("{} bytes are no list of clients", held.size() + released.size()));
  }
  Clients clients;
  for (std::size_t at = 0; at < held.size(); at += kHeldSize) {
    HeldClient& each = clients.held.emplace_back();
    std::copy_n(held.begin() + static_cast<std::ptrdiff_t>(at), crypto::kKeySize, each.public_key.bytes.begin());
    std::uint64_t age = 0;
    for (std::size_t i = crypto::kKeySize; i < kHeldSize; ++i) age = age << 8 | static_cast<std::uint8_t>(held[at + i]);
    if (age > kLongest) return malformed("a client has been up for longer than there have been computers");
    each.up_for = std::chrono::milliseconds(age);
  }
  for (std::size_t at = 0; at < released.size(); at += crypto::kKeySize) {
    std::copy_n(released.begin() + static_cast<std::ptrdiff_t>(at), crypto::kKeySize,
                clients.released.emplace_back().bytes.begin());
  }
  if (message.afresh() > 1) return malformed(fmt::format("afresh is {}, neither 0 nor 1", message.afresh()));
  if (message.asks() > 1) return malformed(fmt::format("asks is {}, neither 0 nor 1", message.asks()));
  clients.afresh = message.afresh() == 1;
  clients.asks = message.asks() == 1;
  return clients;
}

constexpr std::size_t kEnrolmentSize = 2 * crypto::kKeySize + std::tuple_size_v<crypto::Proof>;

void put_enrolment(const Enrolment& enrolment, ::anubis::gate::Request& message) {
  std::string& bytes = *message.mutable_enrolment();
  bytes.append(enrolment.public_key.bytes.begin(), enrolment.public_key.bytes.end());
  bytes.append(enrolment.side_public_key.bytes.begin(), enrolment.side_public_key.bytes.end());
  bytes.append(enrolment.proof.begin(), enrolment.proof.end());
}

tl::expected<std::optional<Enrolment>, RequestFault> get_enrolment(const std::string& bytes) {
  if (bytes.empty()) return std::nullopt;
  if (bytes.size() != kEnrolmentSize) {
    return malformed(fmt::format("an enrolment has {} bytes instead of {}", bytes.size(), kEnrolmentSize));
  }
  Enrolment enrolment;
  const char* at = bytes.data();
  std::copy_n(at, crypto::kKeySize, enrolment.public_key.bytes.begin());
  std::copy_n(at + crypto::kKeySize, crypto::kKeySize, enrolment.side_public_key.bytes.begin());
  std::copy_n(at + 2 * crypto::kKeySize, enrolment.proof.size(), enrolment.proof.begin());
  return enrolment;
}

}  // namespace

const char* name_of(Operation operation) {
  switch (operation) {
    case Operation::kUp:
      return "up";
    case Operation::kDown:
      return "down";
    case Operation::kStatus:
      return "status";
    case Operation::kBye:
      return "bye";
    case Operation::kRenew:
      return "renew";
    case Operation::kClients:
      return "clients";
    case Operation::kEnrol:
      return "enrol";
  }
  return "unknown";
}

bool Request::operator==(const Request& other) const {
  return crypto::same_key(preshared_key, other.preshared_key) && operation == other.operation && token == other.token &&
         suites == other.suites && listen_port == other.listen_port && lease == other.lease &&
         successor == other.successor && for_good == other.for_good &&
         responder_initiates == other.responder_initiates && clients == other.clients && enrolment == other.enrolment;
}

base::WipedBytes create_request(const Request& request) {
  ::anubis::gate::Request message;
  const Wiper wiper{message};
  message.set_operation(static_cast<std::uint8_t>(request.operation));
  if (request.token) message.set_token(request.token->data(), request.token->size());
  for (const crypto::Suite suite : request.suites) message.add_suites(static_cast<std::uint8_t>(suite));
  message.set_listen_port(request.listen_port);
  message.set_lease_seconds(static_cast<std::uint64_t>(request.lease.count()));
  if (request.successor) message.set_successor(request.successor->bytes.data(), request.successor->bytes.size());
  message.set_for_good(request.for_good ? 1 : 0);
  message.set_responder_initiates(request.responder_initiates ? 1 : 0);
  if (request.preshared_key) {
    const auto key = request.preshared_key->view();
    message.set_preshared_key(key.data(), key.size());
  }
  put_clients(request.clients, message);
  if (request.enrolment) put_enrolment(*request.enrolment, message);
  base::WipedBytes payload(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(payload.data());
  return payload;
}

tl::expected<Request, RequestFault> consume_request(std::span<const std::uint8_t> payload) {
  ::anubis::gate::Request message;
  const Wiper wiper{message};
  if (!is_well_formed(payload, kFields) || !message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return malformed("the request is no well-formed message");
  }
  // The operation first: one of a later version may give the other fields other ranges.
  if (message.operation() == 0) return malformed("the request names no operation");
  const auto operation = find_operation(message.operation());
  if (!operation) {
    return tl::unexpected(RequestFault{RequestFault::Kind::kUnknownOperation,
                                       fmt::format("operation {} is unknown here", message.operation())});
  }

  Request request{.operation = *operation, .token = {}, .suites = {}, .successor = {}};
  if (!message.token().empty()) {
    if (message.token().size() != Token{}.size()) {
      return malformed(fmt::format("the token has {} bytes instead of {}", message.token().size(), Token{}.size()));
    }
    std::ranges::copy(message.token(), request.token.emplace().begin());
  }
  request.suites = known_of({message.suites().data(), static_cast<std::size_t>(message.suites_size())});
  if (message.listen_port() > std::numeric_limits<std::uint16_t>::max()) {
    return malformed(fmt::format("listen port {} is out of range", message.listen_port()));
  }
  request.listen_port = static_cast<std::uint16_t>(message.listen_port());
  if (message.lease_seconds() > static_cast<std::uint64_t>(kMaxLease.count())) {
    return malformed(
        fmt::format("a lease of {} s is longer than the longest, {} s", message.lease_seconds(), kMaxLease.count()));
  }
  request.lease = std::chrono::seconds(message.lease_seconds());
  if (!message.successor().empty()) {
    if (message.successor().size() != crypto::kKeySize) {
      return malformed(
          fmt::format("the successor's key has {} bytes instead of {}", message.successor().size(), crypto::kKeySize));
    }
    std::ranges::copy(message.successor(), request.successor.emplace().bytes.begin());
  }
  if (message.for_good() > 1) return malformed(fmt::format("for_good is {}, neither 0 nor 1", message.for_good()));
  request.for_good = message.for_good() == 1;
  if (message.responder_initiates() > 1) {
    return malformed(fmt::format("responder_initiates is {}, neither 0 nor 1", message.responder_initiates()));
  }
  request.responder_initiates = message.responder_initiates() == 1;
  if (!message.preshared_key().empty()) {
    base::Secret<crypto::kKeySize> key;
    if (message.preshared_key().size() != key.kSize) {
      return malformed(
          fmt::format("the preshared key has {} bytes instead of {}", message.preshared_key().size(), key.kSize));
    }
    std::ranges::copy(message.preshared_key(), key.writable().begin());
    if (key.equals({})) return malformed("the preshared key is all zero");
    request.preshared_key = std::make_shared<crypto::WireGuardPresharedKey>(std::move(key));
  }
  auto clients = get_clients(message);
  if (!clients) return tl::unexpected(clients.error());
  request.clients = std::move(*clients);
  auto enrolment = get_enrolment(message.enrolment());
  if (!enrolment) return tl::unexpected(enrolment.error());
  request.enrolment = *enrolment;
  if (request.operation == Operation::kEnrol && !request.enrolment) return malformed("nobody is named to be enrolled");
  return request;
}

}  // namespace anubis::wire

// messages.json, dropped.json, and both for the second suite: aes256gcm.json.
#include <algorithm>
#include <numeric>

#include "lib/crypto/sealing.h"
#include "tests/support/hex.h"
#include "tests/vectors/vectors.h"

namespace anubis::vectors {
namespace {

using namespace std::chrono_literals;
using wire::kMaxDatagramSize;
using wire::kRequestSize;

using Bytes = std::vector<std::uint8_t>;
using Key = base::Secret<crypto::kKeySize>;

constexpr auto kSuiteOne = crypto::Suite::kXChaCha20Poly1305;
constexpr crypto::Suite kSuiteTwo{2};

template <class Array>
Array counting_from(std::size_t first) {
  Array array;
  std::iota(array.begin(), array.end(), static_cast<std::uint8_t>(first));
  return array;
}

// xena asks, jacinth answers.
struct Hosts {
  explicit Hosts(crypto::Suite its_suite) : suite(its_suite) {}

  crypto::Suite suite;
  crypto::ProductionPrivateKey xena{secret_of(kXenaProduction)};
  crypto::ProductionPrivateKey jacinth{secret_of(kJacinthProduction)};
  crypto::MessageKeys xenas =
      crypto::derive_message_keys(suite, xena, xena.public_key(), jacinth.public_key(), nullptr).value();
};

wire::Token token() { return counting_from<wire::Token>(0xa0); }

class Messages {
 public:
  explicit Messages(crypto::Suite suite) : hosts_(suite) {}

  void add(std::string_view name, const wire::Request& request, std::size_t size = kRequestSize) {
    add(name, wire::MessageType::kRequest, wire::create_request(request), size, {"request", to_json(request)});
  }
  void add(std::string_view name, const wire::Reply& reply, std::size_t size = kRequestSize) {
    add(name, wire::MessageType::kReply, wire::create_reply(reply, size), size, {"reply", to_json(reply)});
  }
  [[nodiscard]] Json take() { return std::move(messages_); }

 private:
  void add(std::string_view name, wire::MessageType type, std::span<const std::uint8_t> payload, std::size_t size,
           std::pair<const char*, Json> meaning) {
    const std::size_t number = messages_.size();
    const bool is_request = type == wire::MessageType::kRequest;
    const wire::Header header{.type = type,
                              .suite = hosts_.suite,
                              .request_id = counting_from<wire::RequestId>(3 * number),
                              .sender = (is_request ? hosts_.xena : hosts_.jacinth).public_key(),
                              .nonce = counting_from<crypto::Nonce>(128 + 5 * number)};
    const Key& key = is_request ? hosts_.xenas.sending : hosts_.xenas.receiving;
    messages_.push_back({{"name", name},
                         {"key", test::to_hex(key.view())},
                         {"header", to_json(header)},
                         {"size", size},
                         {meaning.first, std::move(meaning.second)},
                         {"payload", test::to_hex(payload)},
                         {"datagram", test::to_hex(wire::seal_message(header, key, payload, size))}});
  }

  Hosts hosts_;
  Json messages_ = Json::array();
};

// Datagrams that would be good but for one thing.
class Dropped {
 public:
  explicit Dropped(crypto::Suite suite) : hosts_(suite) {
    header_.suite = suite;
    header_.sender = hosts_.xena.public_key();
    header_.request_id = counting_from<wire::RequestId>(0x10);
    header_.nonce = counting_from<crypto::Nonce>(0x40);
  }

  [[nodiscard]] Bytes good(std::size_t size = kRequestSize) const {
    const wire::Request request{.operation = wire::Operation::kUp,
                                .token = token(),
                                .suites = {hosts_.suite},
                                .listen_port = 4296,
                                .successor = {}};
    return wire::seal_message(header_, hosts_.xenas.sending, wire::create_request(request), size);
  }
  [[nodiscard]] Bytes with_byte(std::size_t offset, std::uint8_t value) const {
    Bytes datagram = good();
    datagram.at(offset) = value;
    return datagram;
  }
  [[nodiscard]] Bytes with_flip(std::size_t offset, std::uint8_t bits = 1) const {
    return with_byte(offset, good().at(offset) ^ bits);
  }
  [[nodiscard]] Bytes resized(std::size_t from, std::size_t to) const {
    Bytes datagram = good(from);
    datagram.resize(to);
    return datagram;
  }
  // Sealed as it should be, but with this length, and one byte that may not be zero.
  [[nodiscard]] Bytes with_plaintext(std::uint16_t length, std::size_t offset, std::uint8_t value) const {
    Bytes plaintext(kRequestSize - wire::kHeaderSize - crypto::kTagSize);
    plaintext[0] = static_cast<std::uint8_t>(length >> 8);
    plaintext[1] = static_cast<std::uint8_t>(length & 0xff);
    plaintext.at(offset) = value;
    Bytes datagram(kRequestSize);
    const std::span whole(datagram);
    wire::encode_header(header_, whole.first<wire::kHeaderSize>());
    crypto::seal(hosts_.suite, hosts_.xenas.sending, header_.nonce, whole.first(wire::kHeaderSize), plaintext,
                 whole.subspan(wire::kHeaderSize));
    return datagram;
  }

  void add(std::string_view name, wire::Drop reason, const Bytes& datagram) {
    dropped_.push_back({{"name", name},
                        {"reason", wire::name_of(reason)},
                        {"key", test::to_hex(hosts_.xenas.sending.view())},
                        {"datagram", test::to_hex(datagram)}});
  }
  // What jacinth, who received it, would see reflected to xena.
  void add_reflected() {
    dropped_.push_back({{"name", "sent back to its sender, who opens with its own receiving key"},
                        {"reason", wire::name_of(wire::Drop::kAuthentication)},
                        {"key", test::to_hex(hosts_.xenas.receiving.view())},
                        {"datagram", test::to_hex(good())}});
  }
  [[nodiscard]] Json take() { return std::move(dropped_); }

 private:
  Hosts hosts_;
  wire::Header header_;
  Json dropped_ = Json::array();
};

Bytes wireguard(std::uint8_t type, std::size_t size) {
  Bytes datagram(size, 0xa5);
  std::ranges::copy(std::array<std::uint8_t, 4>{type, 0, 0, 0}, datagram.begin());
  return datagram;
}

wire::Request request(wire::Operation operation, std::optional<wire::Token> carried, std::chrono::seconds lease = 0s) {
  return {.operation = operation,
          .token = carried,
          .suites = {kSuiteOne},
          .listen_port = 4296,
          .lease = lease,
          .successor = {}};
}

void add_requests(Messages& messages) {
  using enum wire::Operation;
  messages.add("up, without a token", request(kUp, std::nullopt));
  messages.add("up, until down", request(kUp, token()));
  messages.add("up, for two hours", request(kUp, token(), 2h));
  auto to_a_roamer = request(kUp, token());
  to_a_roamer.responder_initiates = true;
  messages.add("up, of a responder that initiates the handshake", to_a_roamer);
  messages.add("down", request(kDown, token()));
  messages.add("status", request(kStatus, token()));
  messages.add("status, the largest datagram", request(kStatus, token()), kMaxDatagramSize);
  messages.add("status, an odd size", request(kStatus, token()), 777);
  messages.add("renew, for the longest lease", request(kRenew, token(), wire::kMaxLease));
  messages.add("bye", request(kBye, token()));
  auto bye = request(kBye, token());
  bye.successor = crypto::ProductionPrivateKey(secret_of("TEST ONLY third production key 3")).public_key();
  messages.add("bye, with a successor", bye);
}

wire::Reply reply(wire::ResultCode result, std::string text, wire::SessionState state) {
  return {.result = result, .text = std::move(text), .token = token(), .listen_port = 4296, .state = state};
}

void add_replies(Messages& messages) {
  using enum wire::ResultCode;
  using enum wire::PeerPresence;
  using enum wire::SessionState;
  auto ok = reply(kOk, "", kUp);
  ok.presence = kCreated;
  messages.add("OK to up: created", ok);
  ok.presence = kFound;
  ok.lease = 2h;
  ok.up_for = 90s;
  messages.add("OK to up: found, with a lease", ok);
  messages.add("OK to down", reply(kOk, "", kDown));
  auto status = reply(kOk, "", kUp);
  status.lease = wire::kMaxLease;
  status.up_for = std::chrono::seconds(0xffffffff);
  messages.add("OK to status, the largest numbers", status, kMaxDatagramSize);
  messages.add("STALE", reply(kStale, "", kDown));
  messages.add("DENIED", reply(kDenied, "not now", kDown));
  messages.add("CONFLICT", reply(kConflict, "10.44.0.0/24 belongs to another peer", kFailed));
  messages.add("VERSION", reply(kVersion, "operation 7 is unknown here", kDown));
  auto suite = reply(kSuite, "another suite is to be used", kDown);
  suite.suites = {kSuiteOne, kSuiteTwo};
  messages.add("SUITE", suite);
  messages.add("BUSY", reply(kBusy, "another request for this peer is being carried out", kGoingDown));
  messages.add("BAD_REQUEST", reply(kBadRequest, "the token has 15 bytes instead of 16", kGoingUp));
  messages.add("INTERNAL", reply(kInternal, "Größe der Tabelle erschöpft", kFailed));
  messages.add("NOT_UP", reply(kNotUp, "the session is not up here", kDown));
  messages.add("a text that fills the datagram", reply(kInternal, std::string(381, 'x'), kFailed));
}

}  // namespace

Json make_messages() {
  Messages messages(kSuiteOne);
  add_requests(messages);
  add_replies(messages);
  return {{"section", "4"}, {"messages", messages.take()}};
}

Json make_dropped() {
  using enum wire::Drop;
  constexpr std::size_t kLast = kRequestSize - 1;
  constexpr std::uint16_t kLongestPayload = kRequestSize - wire::kOverhead;
  Dropped dropped(kSuiteOne);
  dropped.add("nothing", kLength, {});
  dropped.add("seven bytes", kLength, dropped.resized(kRequestSize, 7));
  dropped.add("the header alone", kLength, dropped.resized(kRequestSize, wire::kHeaderSize));
  dropped.add("one byte less than the least", kLength, dropped.resized(kRequestSize, kLast));
  dropped.add("one byte more than the most", kLength, dropped.resized(kMaxDatagramSize, kMaxDatagramSize + 1));
  dropped.add("WireGuard's handshake initiation", kMagic, wireguard(1, 148));
  dropped.add("WireGuard's handshake response", kMagic, wireguard(2, 92));
  dropped.add("WireGuard's cookie reply", kMagic, wireguard(3, 64));
  dropped.add("WireGuard's keepalive", kMagic, wireguard(4, 32));
  dropped.add("WireGuard's transport data", kMagic, wireguard(4, 1024));
  dropped.add("a bit of the magic", kMagic, dropped.with_flip(3));
  dropped.add("version 0", kVersion, dropped.with_byte(4, 0));
  dropped.add("version 2", kVersion, dropped.with_byte(4, 2));
  dropped.add("version 2, of another size", kVersion, test::hex("414e554202010100"));
  dropped.add("type 0", kType, dropped.with_byte(5, 0));
  dropped.add("type 3", kType, dropped.with_byte(5, 3));
  dropped.add("suite 0", wire::Drop::kSuite, dropped.with_byte(6, 0));
  dropped.add("suite 3", wire::Drop::kSuite, dropped.with_byte(6, 3));
  dropped.add("the reserved byte", kReserved, dropped.with_byte(7, 1));
  dropped.add("a request passed off as a reply", kAuthentication, dropped.with_byte(5, 2));
  dropped.add("a bit of the request id", kAuthentication, dropped.with_flip(8));
  dropped.add("a bit of the sender's key", kAuthentication, dropped.with_flip(55, 0x80));
  dropped.add("a bit of the nonce", kAuthentication, dropped.with_flip(56));
  dropped.add("the first bit of the ciphertext", kAuthentication, dropped.with_flip(80));
  dropped.add("a bit of the padding", kAuthentication, dropped.with_flip(400));
  dropped.add("a bit of the tag", kAuthentication, dropped.with_flip(kLast, 0x80));
  dropped.add("cut short", kAuthentication, dropped.resized(kMaxDatagramSize, kRequestSize));
  dropped.add("one byte more", kAuthentication, dropped.resized(kRequestSize, kRequestSize + 1));
  dropped.add_reflected();
  dropped.add("the length is one more than there is", kPadding, dropped.with_plaintext(kLongestPayload + 1, 2, 0));
  dropped.add("the greatest length", kPadding, dropped.with_plaintext(0xffff, 2, 0));
  dropped.add("the first byte of padding is not zero", kPadding, dropped.with_plaintext(4, 6, 1));
  dropped.add("the last byte of padding is not zero", kPadding,
              dropped.with_plaintext(4, kLongestPayload + wire::kLengthSize - 1, 0x80));
  return {{"section", "4.3"}, {"dropped", dropped.take()}};
}

Json make_aes256gcm() {
  Messages messages(kSuiteTwo);
  auto offer_of_both = request(wire::Operation::kUp, token());
  offer_of_both.suites = {kSuiteOne, kSuiteTwo};
  messages.add("up, with an offer of both suites", offer_of_both);
  auto offer_of_one = request(wire::Operation::kStatus, token());
  offer_of_one.suites = {kSuiteTwo};
  messages.add("status, the largest datagram", offer_of_one, kMaxDatagramSize);
  messages.add("OK to status", reply(wire::ResultCode::kOk, "", wire::SessionState::kUp));

  Dropped dropped(kSuiteTwo);
  dropped.add("said to be of suite 1", wire::Drop::kAuthentication, dropped.with_byte(6, 1));
  dropped.add("a bit of the nonce, of the half that makes the subkey", wire::Drop::kAuthentication,
              dropped.with_flip(56));
  dropped.add("a bit of the nonce, of the half that is GCM's", wire::Drop::kAuthentication, dropped.with_flip(79));
  dropped.add("a bit of the ciphertext", wire::Drop::kAuthentication, dropped.with_flip(80));
  dropped.add("a bit of the tag", wire::Drop::kAuthentication, dropped.with_flip(kRequestSize - 1, 0x80));
  dropped.add("cut short", wire::Drop::kAuthentication, dropped.resized(kMaxDatagramSize, kRequestSize));
  dropped.add_reflected();
  return {{"section", "3.3"}, {"messages", messages.take()}, {"dropped", dropped.take()}};
}

}  // namespace anubis::vectors

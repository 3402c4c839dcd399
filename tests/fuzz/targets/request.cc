// Requests of a hostile peer, or of its page, sealed as they must be: each is answered, once, with the right word, and
// no more bytes than it had.
//
// Input: for each request a byte of how things go (gate_fixture.cc), a byte of what is sent, and a block: the payload,
// or the whole plaintext.
#include "lib/wire/request.h"

#include <chrono>

#include "lib/wire/reply.h"
#include "tests/fuzz/gate_fixture.h"

namespace anubis::fuzz {
namespace {

using namespace std::chrono_literals;

// The bits of what is sent.
constexpr std::uint8_t kRaw = 1;       // the block is the whole plaintext: length, payload and padding
constexpr std::uint8_t kRepeated = 2;  // the datagram before, once more, instead
constexpr std::uint8_t kLonger = 4;
constexpr std::uint8_t kLater = 8;  // time passes before
constexpr std::uint8_t kMuchLater = 16;
constexpr std::uint8_t kStrongest = 32;  // in the strongest suite of this hardware; else in the one that every host has
constexpr std::uint8_t kCompanion = 64;  // from its page

void consume(Bytes payload) {
  const auto request = wire::consume_request(payload);
  if (!request) return require(!request.error().text.empty(), "a fault has a text");
  const auto created = wire::create_request(*request);
  const auto again = wire::consume_request(created);
  require(again.has_value() && *again == *request, "a request survives");
  require(created.size() + wire::kOverhead <= wire::kRequestSize, "a request always fits");
}

std::vector<std::uint8_t> framed(Bytes payload, std::size_t size) {
  std::vector<std::uint8_t> plaintext(size);
  payload = payload.first(std::min(payload.size(), size - wire::kLengthSize));
  plaintext[0] = static_cast<std::uint8_t>(payload.size() >> 8);
  plaintext[1] = static_cast<std::uint8_t>(payload.size());
  std::ranges::copy(payload, plaintext.begin() + wire::kLengthSize);
  return plaintext;
}

// What the answer to this payload must say, as far as that follows from the payload alone.
void check_answer(const wire::Datagram& datagram, const wire::Header& asked, std::size_t size, Bytes payload,
                  const Parties& parties) {
  require(datagram.size() == size, "a reply has its request's size");
  const auto header = wire::decode_header(datagram);
  require(header && header->type == wire::MessageType::kReply && header->request_id == asked.request_id,
          "a reply belongs to its request");
  const auto opened = wire::open_message(*header, parties.jacinths.receiving, datagram);
  require(opened.has_value(), "a reply opens");
  const auto reply = wire::consume_reply(*opened);
  require(reply.has_value(), "a reply is well-formed");
  const auto request = wire::consume_request(payload);
  const bool malformed = !request && request.error().kind == wire::RequestFault::Kind::kMalformed;
  const bool unknown = !request && request.error().kind == wire::RequestFault::Kind::kUnknownOperation;
  require((reply->result == wire::ResultCode::kBadRequest) == malformed, "BAD_REQUEST to what is malformed alone");
  require((reply->result == wire::ResultCode::kVersion) == unknown, "VERSION to unknown operations alone");
  const bool is_for_hosts =
      request && (request->operation == wire::Operation::kBye || request->operation == wire::Operation::kClients ||
                  request->operation == wire::Operation::kEnrol);
  require(!is_for_hosts || asked.sender != parties.companion || reply->result != wire::ResultCode::kOk,
          "a page says up, down and status alone");
}

}  // namespace

void request(Bytes input) {
  static const Parties parties;
  Reader reader(input);
  Gate gate(parties);
  wire::Datagram last;
  std::size_t answered = 0;  // of gate.sent, what has been looked at
  for (std::uint8_t number = 1; number < 16 && !reader.at_end(); ++number) {
    const std::uint8_t outcome = reader.byte();
    const std::uint8_t what = reader.byte();
    if ((what & kLater) != 0) gate.pass((what & kMuchLater) != 0 ? 1h : 1s, outcome);
    if ((what & kRepeated) != 0) {
      // Whatever became of it before, it is not accepted twice.
      const auto accepted = gate.gatekeeper.counters().requests_accepted;
      const auto repeated = gate.gatekeeper.counters().replies_repeated;
      gate.receive(last);
      gate.execute(outcome);
      const auto& counters = gate.gatekeeper.counters();
      require(counters.requests_accepted == accepted || counters.replies_repeated == repeated,
              "a repetition is either judged anew or answered as before");
      answered = gate.sent.size();
      continue;
    }
    const Bytes block = reader.block();
    const std::size_t size = (what & kLonger) != 0 ? wire::kMaxDatagramSize : wire::kRequestSize;
    const std::size_t room = size - wire::kHeaderSize - crypto::kTagSize;
    std::vector<std::uint8_t> plaintext(block.begin(), block.end());
    if ((what & kRaw) != 0) {
      plaintext.resize(room);
    } else {
      plaintext = framed(block, room);
    }
    wire::Header header{.type = wire::MessageType::kRequest, .sender = parties.jacinth_public};
    if ((what & kCompanion) != 0) header.sender = parties.companion;
    if ((what & kStrongest) != 0) header.suite = crypto::available_suites().back();
    header.request_id.fill(number);
    header.nonce.fill(number);
    last = gate.seal(header, plaintext);
    const auto payload = wire::open_message(header, parties.xenas.receiving, last);
    if (payload) consume(*payload);

    const auto dropped = gate.dropped();
    answered = gate.sent.size();
    gate.receive(last);
    gate.execute(outcome);
    std::size_t replies = 0;
    for (; answered < gate.sent.size(); ++answered) {
      const auto sent = wire::decode_header(gate.sent[answered]);
      require(sent.has_value(), "what is sent has a header");
      if (sent->type != wire::MessageType::kReply) continue;  // a request of its own
      ++replies;
      require(payload.has_value(), "what does not open is not answered");
      check_answer(gate.sent[answered], header, size, *payload, parties);
    }
    require(replies == (payload ? 1 : 0), "what opens is answered once");
    require(gate.dropped() == dropped + (payload ? 0 : 1), "what does not open is counted");
  }
  // Nothing of it is left waiting for ever.
  gate.pass(24h, 0);
}

}  // namespace anubis::fuzz

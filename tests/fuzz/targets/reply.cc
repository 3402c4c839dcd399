// Replies of a hostile peer to requests of ours, sealed as they must be: every command is answered once, in time, and
// with success only if the peer said OK.
//
// Input: a byte for the command, then for each reply a byte of how things go (gate_fixture.cc), one of how much time
// passes before, and a block: the payload.
#include "lib/wire/reply.h"

#include <chrono>
#include <optional>

#include "lib/wire/text.h"
#include "tests/fuzz/gate_fixture.h"

namespace anubis::fuzz {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kTimeout = 10s;

void consume(Bytes payload) {
  const auto reply = wire::consume_reply(payload);
  if (!reply) return;
  require(wire::printable(reply->text, reply->text.size()) == reply->text, "a text is safe on a terminal");
  const auto created = wire::create_reply(*reply, wire::kMaxDatagramSize);
  require(created.size() + wire::kOverhead <= wire::kMaxDatagramSize, "a reply always fits");
  const auto again = wire::consume_reply(created);
  require(again.has_value(), "a reply survives");
  wire::Reply same = *reply;
  same.text = again->text;  // it may be cut
  require(same == *again && reply->text.starts_with(again->text), "a reply survives as it was");
}

// The request that waits for an answer: the last one that was sent.
std::optional<wire::Header> last_request(const Gate& gate) {
  for (auto sent = gate.sent.rbegin(); sent != gate.sent.rend(); ++sent) {
    const auto header = wire::decode_header(*sent);
    if (header && header->type == wire::MessageType::kRequest) return *header;
  }
  return std::nullopt;
}

}  // namespace

void reply(Bytes input) {
  static const Parties parties;
  Reader reader(input);
  Gate gate(parties);
  const std::uint8_t command = reader.byte();
  const bool is_up = (command & 1) == 0;
  if ((command & 2) != 0) gate.gatekeeper.resume(parties.jacinth, std::nullopt, true, gate.now);
  if ((command & 4) != 0) gate.gatekeeper.warm_up(parties.jacinth, gate.now);
  if (is_up) {
    gate.gatekeeper.up(gate::CommandId{1}, parties.jacinth, {.timeout = kTimeout}, gate.now);
  } else {
    gate.gatekeeper.down(gate::CommandId{1}, parties.jacinth, kTimeout, gate.now);
  }
  gate.execute(command & 0xf8);

  bool said_ok = false;
  std::uint8_t number = 0;
  while (!reader.at_end()) {
    const std::uint8_t outcome = reader.byte();
    gate.pass(std::chrono::milliseconds(reader.byte()) * 16, outcome);
    const Bytes payload = reader.block();
    const auto request = last_request(gate);
    if (!request) break;
    consume(payload);
    const auto understood = wire::consume_reply(payload);
    said_ok |= understood && understood->result == wire::ResultCode::kOk;
    wire::Header header{
        .type = wire::MessageType::kReply, .request_id = request->request_id, .sender = parties.jacinth_public};
    header.nonce.fill(++number);
    if (payload.size() + wire::kOverhead > wire::kMaxDatagramSize) continue;
    const std::size_t size = std::max(wire::kRequestSize, payload.size() + wire::kOverhead);
    gate.receive(wire::seal_message(header, parties.jacinths.sending, payload, size));
    gate.execute(outcome);
  }
  gate.pass(kTimeout, 0);
  require(gate.finished.size() == 1, "a command is answered once, in time");
  const gate::Outcome& outcome = gate.finished[0].outcome;
  if (outcome.verdict != gate::Verdict::kDone || outcome.was_so_already) return;
  require(said_ok, "success only if the peer said so");
}

}  // namespace anubis::fuzz

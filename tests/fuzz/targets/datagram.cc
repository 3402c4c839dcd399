// A datagram on the service port as anybody in the side tunnel may send it, without a key: it is dropped, counted once
// under one reason, and nothing comes of it.
#include "tests/fuzz/gate_fixture.h"

namespace anubis::fuzz {

void datagram(Bytes input) {
  static const Parties parties;
  if (input.empty()) return;
  Reader reader(input);
  const std::uint8_t how = reader.byte();
  const Bytes bytes = reader.rest();

  if (const auto header = wire::decode_header(bytes)) {
    std::array<std::uint8_t, wire::kHeaderSize> again{};
    wire::encode_header(*header, again);
    require(std::ranges::equal(again, bytes.first(wire::kHeaderSize)), "a header has one encoding");
    require(bytes.size() >= wire::kRequestSize && bytes.size() <= wire::kMaxDatagramSize, "a datagram has its size");
  }

  Gate gate(parties);
  // A request of ours waits for an answer.
  gate.gatekeeper.warm_up(parties.jacinth, gate.now);
  gate.execute(0);
  require(gate.sent.size() == 1, "a request went out");
  const model::IpAddress source =
      (how & 1) != 0 ? *model::IpAddress::parse("fd77::1") : parties.directory.get(parties.jacinth)->side_address;
  gate.gatekeeper.receive(bytes, source, 4298, gate.now);
  require(gate.gatekeeper.take_actions().empty(), "nothing comes of what nobody sealed");
  require(gate.dropped() == 1, "what is dropped is counted once");
}

}  // namespace anubis::fuzz

// What `anubis check` captures, and what it hears back: packets that anybody may have sent, read by root.
#include "anubis-cli/check/packet.h"

#include "tests/fuzz/fuzz.h"

namespace anubis::fuzz {
namespace {

using model::Family;

void check_udp(Bytes packet) {
  const auto ends = cli::udp_ends(packet);
  if (!ends) return;
  const Family family = packet[0] >> 4 == 4 ? Family::kV4 : Family::kV6;
  require(ends->source.address.family() == family && ends->destination.address.family() == family,
          "both ends are of the packet's family");
  require(packet.size() >= (family == Family::kV4 ? 28u : 48u), "there is room for both headers");
}

void check_echo(Family family, Bytes bytes) {
  const auto echo = cli::parse_echo(family, bytes);
  if (!echo || echo->is_reply) return;
  const auto again = cli::parse_echo(family, cli::echo_request(family, echo->id, echo->sequence, 16, {}));
  require(again && again->id == echo->id && again->sequence == echo->sequence, "a request survives");
}

}  // namespace

void packet(Bytes input) {
  const Bytes inner = cli::behind_ipv4_header(input);
  require(inner.size() + 20 <= input.size() || inner.empty(), "a header has 20 bytes at least");
  check_udp(input);
  check_udp(inner);
  for (const Family family : {Family::kV4, Family::kV6}) {
    check_echo(family, input);
    check_echo(family, inner);
  }
  if (input.size() < std::tuple_size_v<cli::Marker>) return;
  cli::Marker marker{};
  std::ranges::copy(input.last(marker.size()), marker.begin());
  require(cli::holds(input, marker), "what stands at the end is found");
  require(!cli::holds(input.first(marker.size() - 1), marker), "a part of it is not it");
}

}  // namespace anubis::fuzz

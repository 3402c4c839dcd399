// Probes as bytes: echo requests (RFC 792, RFC 4443) full of a marker, and what is found in packets that were seen.
// Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lib/model/endpoint.h"
#include "lib/model/ip.h"

namespace anubis::cli {

using ByteView = std::span<const std::uint8_t>;

// Random, so long that nothing else looks like it.
using Marker = std::array<std::uint8_t, 16>;

inline constexpr std::size_t kEchoHeader = 8;

// The bytes in front of an echo request's payload: IP's header without options, and ICMP's.
[[nodiscard]] std::size_t headers_of(model::Family family);

// From ICMP's header on. The marker stands in the payload again and again, so that any 32 bytes of it show it.
[[nodiscard]] std::vector<std::uint8_t> echo_request(model::Family family, std::uint16_t id, std::uint16_t sequence,
                                                     std::size_t payload, const Marker& marker);

struct Echo {
  bool is_reply = false;  // else a request: the one that an ICMP error quotes
  std::uint16_t id = 0;
  std::uint16_t sequence = 0;
};
// From ICMP's header on; none: something else.
[[nodiscard]] std::optional<Echo> parse_echo(model::Family family, ByteView bytes);

// What stands behind the header of an IPv4 packet; empty: it is none.
[[nodiscard]] ByteView behind_ipv4_header(ByteView packet);

[[nodiscard]] bool holds(ByteView bytes, const Marker& marker);

struct UdpEnds {
  model::Endpoint source;
  model::Endpoint destination;
};
// Of an IP packet; none: it is no UDP, a later fragment, or too short. Behind IPv6 extension headers nothing is found.
[[nodiscard]] std::optional<UdpEnds> udp_ends(ByteView packet);

}  // namespace anubis::cli

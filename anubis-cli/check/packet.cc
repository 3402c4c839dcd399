#include "anubis-cli/check/packet.h"

#include <algorithm>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

namespace anubis::cli {
namespace {

using model::Family;
using model::IpAddress;

constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kUdpHeader = 8;

std::uint16_t number_at(ByteView bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

void put_number(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint16_t number) {
  bytes[at] = static_cast<std::uint8_t>(number >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(number);
}

// RFC 1071.
std::uint16_t checksum(ByteView bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? std::uint32_t{bytes[i]} << 8 : bytes[i];
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::optional<UdpEnds> ends_of(const IpAddress& source, const IpAddress& destination, ByteView udp) {
  if (udp.size() < kUdpHeader) return std::nullopt;
  return UdpEnds{{source, number_at(udp, 0), 0}, {destination, number_at(udp, 2), 0}};
}

}  // namespace

std::size_t headers_of(Family family) { return (family == Family::kV4 ? kIpv4Header : kIpv6Header) + kEchoHeader; }

std::vector<std::uint8_t> echo_request(Family family, std::uint16_t id, std::uint16_t sequence, std::size_t payload,
                                       const Marker& marker) {
  std::vector<std::uint8_t> bytes(kEchoHeader + payload);
  bytes[0] = family == Family::kV4 ? std::uint8_t{ICMP_ECHO} : std::uint8_t{ICMP6_ECHO_REQUEST};
  put_number(bytes, 4, id);
  put_number(bytes, 6, sequence);
  for (std::size_t i = 0; i < payload; ++i) bytes[kEchoHeader + i] = marker[i % marker.size()];
  // ICMPv6's takes the addresses in, and the kernel computes it.
  if (family == Family::kV4) put_number(bytes, 2, checksum(bytes));
  return bytes;
}

std::optional<Echo> parse_echo(Family family, ByteView bytes) {
  if (bytes.size() < kEchoHeader) return std::nullopt;
  const bool is_v4 = family == Family::kV4;
  const bool is_reply = bytes[0] == (is_v4 ? std::uint8_t{ICMP_ECHOREPLY} : std::uint8_t{ICMP6_ECHO_REPLY});
  const bool is_request = bytes[0] == (is_v4 ? std::uint8_t{ICMP_ECHO} : std::uint8_t{ICMP6_ECHO_REQUEST});
  if (!is_reply && !is_request) return std::nullopt;
  return Echo{is_reply, number_at(bytes, 4), number_at(bytes, 6)};
}

ByteView behind_ipv4_header(ByteView packet) {
  if (packet.size() < kIpv4Header || packet[0] >> 4 != 4) return {};
  const std::size_t header = (packet[0] & 0x0f) * std::size_t{4};
  return header < kIpv4Header || header > packet.size() ? ByteView{} : packet.subspan(header);
}

bool holds(ByteView bytes, const Marker& marker) {
  return std::search(bytes.begin(), bytes.end(), marker.begin(), marker.end()) != bytes.end();
}

std::optional<UdpEnds> udp_ends(ByteView packet) {
  if (packet.empty()) return std::nullopt;
  if (packet[0] >> 4 == 4) {
    const ByteView udp = behind_ipv4_header(packet);
    constexpr std::uint16_t kFragmentOffset = 0x1fff;
    if (udp.empty() || packet[9] != IPPROTO_UDP || (number_at(packet, 6) & kFragmentOffset) != 0) return std::nullopt;
    return ends_of(IpAddress::v4(packet.subspan<12, 4>()), IpAddress::v4(packet.subspan<16, 4>()), udp);
  }
  if (packet[0] >> 4 != 6 || packet.size() < kIpv6Header || packet[6] != IPPROTO_UDP) return std::nullopt;
  return ends_of(IpAddress::v6(packet.subspan<8, 16>()), IpAddress::v6(packet.subspan<24, 16>()),
                 packet.subspan(kIpv6Header));
}

}  // namespace anubis::cli

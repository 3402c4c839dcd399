#include <algorithm>

#include <gmock/gmock.h>

#include "anubis-cli/check/packet.h"

namespace anubis::cli {
namespace {

using model::Family;
using testing::ElementsAreArray;
using Bytes = std::vector<std::uint8_t>;

constexpr Marker kMarker{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

// RFC 1071: over a message with its checksum in place, the sum is all ones.
std::uint32_t sum_of(const Bytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? std::uint32_t{bytes[i]} << 8 : bytes[i];
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

TEST(CheckPacket, AnEchoRequestIsFullOfTheMarker) {
  for (const Family family : {Family::kV4, Family::kV6}) {
    const auto bytes = echo_request(family, 0x1234, 7, 41, kMarker);
    ASSERT_EQ(bytes.size(), 49u);
    EXPECT_EQ(bytes[0], family == Family::kV4 ? 8 : 128);
    EXPECT_THAT(Bytes(bytes.begin() + 4, bytes.begin() + 8), ElementsAreArray({0x12, 0x34, 0, 7}));
    for (std::size_t i = 0; i < 41; ++i) EXPECT_EQ(bytes[8 + i], kMarker[i % 16]);
    EXPECT_TRUE(holds(ByteView(bytes).subspan(8 + 5, 31), kMarker)) << "wherever 31 bytes of it are seen";
    const auto echo = parse_echo(family, bytes);
    ASSERT_TRUE(echo);
    EXPECT_FALSE(echo->is_reply);
    EXPECT_EQ(echo->id, 0x1234);
    EXPECT_EQ(echo->sequence, 7);
  }
  EXPECT_EQ(sum_of(echo_request(Family::kV4, 0x1234, 7, 41, kMarker)), 0xffffu);
}

TEST(CheckPacket, WhatIsNoEchoIsNone) {
  auto reply = echo_request(Family::kV6, 1, 2, 0, kMarker);
  reply[0] = 129;
  EXPECT_TRUE(parse_echo(Family::kV6, reply)->is_reply);
  EXPECT_FALSE(parse_echo(Family::kV4, reply));
  EXPECT_FALSE(parse_echo(Family::kV6, ByteView(reply).first(7)));
  EXPECT_FALSE(parse_echo(Family::kV6, {}));
}

TEST(CheckPacket, TheMarkerIsFoundWhole) {
  Bytes bytes(100, 0xee);
  EXPECT_FALSE(holds(bytes, kMarker));
  EXPECT_FALSE(holds({}, kMarker));
  std::ranges::copy(kMarker, bytes.begin() + 84);
  EXPECT_TRUE(holds(bytes, kMarker));
  EXPECT_FALSE(holds(ByteView(bytes).first(99), kMarker));
}

Bytes udp_v4(std::uint8_t header_words = 5) {
  Bytes packet(header_words * 4u + 8u);
  packet[0] = static_cast<std::uint8_t>(0x40 | header_words);
  packet[9] = 17;
  std::ranges::copy(Bytes{192, 0, 2, 1, 192, 0, 2, 2}, packet.begin() + 12);
  std::ranges::copy(Bytes{0x10, 0xc8, 0x10, 0xc9}, packet.begin() + header_words * 4);
  return packet;
}

TEST(CheckPacket, TheEndsOfUdpAreTold) {
  for (const std::uint8_t words : {std::uint8_t{5}, std::uint8_t{7}}) {
    const auto ends = udp_ends(udp_v4(words));
    ASSERT_TRUE(ends);
    EXPECT_EQ(ends->source.to_string(), "192.0.2.1:4296");
    EXPECT_EQ(ends->destination.to_string(), "192.0.2.2:4297");
  }
  Bytes six(48);
  six[0] = 0x60;
  six[6] = 17;
  six[23] = 1;
  six[39] = 2;
  six[43] = 53;
  const auto ends = udp_ends(six);
  ASSERT_TRUE(ends);
  EXPECT_EQ(ends->source.to_string(), "[::1]:0");
  EXPECT_EQ(ends->destination.to_string(), "[::2]:53");
}

TEST(CheckPacket, WhateverElseIsNoUdp) {
  Bytes fragment = udp_v4();
  fragment[7] = 1;
  EXPECT_FALSE(udp_ends(fragment)) << "its ports are in the first fragment";
  Bytes tcp = udp_v4();
  tcp[9] = 6;
  EXPECT_FALSE(udp_ends(tcp));
  const Bytes whole = udp_v4(7);
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(udp_ends(ByteView(whole).first(size))) << size;
  Bytes short_header = udp_v4();
  short_header[0] = 0x44;
  EXPECT_FALSE(udp_ends(short_header));
  EXPECT_TRUE(behind_ipv4_header(Bytes(40, 0x60)).empty());
}

}  // namespace
}  // namespace anubis::cli

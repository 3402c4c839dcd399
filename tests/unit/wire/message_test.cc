// The envelope: docs/protocol.md, section 4.
#include "lib/wire/message.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::wire {
namespace {

using testing::ElementsAreArray;

using Key = base::Secret<crypto::kKeySize>;

Key make_key(std::uint8_t first) {
  Key key;
  std::iota(key.writable().begin(), key.writable().end(), first);
  return key;
}

Header make_header() {
  Header header;
  std::iota(header.request_id.begin(), header.request_id.end(), std::uint8_t{0x10});
  std::iota(header.sender.bytes.begin(), header.sender.bytes.end(), std::uint8_t{0x20});
  std::iota(header.nonce.begin(), header.nonce.end(), std::uint8_t{0x40});
  return header;
}

const std::vector<std::uint8_t> kPayload{'p', 'a', 'y', 'l', 'o', 'a', 'd'};

Datagram make_datagram(std::size_t size = kRequestSize) {
  return seal_message(make_header(), make_key(1), kPayload, size);
}

std::optional<Drop> drop_of(std::span<const std::uint8_t> datagram) {
  const auto header = decode_header(datagram);
  if (!header) return header.error();
  const auto payload = open_message(*header, make_key(1), datagram);
  if (!payload) return payload.error();
  return std::nullopt;
}

// Section 4.2: the plaintext is ours to choose here, its length and padding with it.
Datagram seal_plaintext(const std::vector<std::uint8_t>& plaintext) {
  Datagram datagram(kHeaderSize + plaintext.size() + crypto::kTagSize);
  const std::span whole(datagram);
  const Header header = make_header();
  encode_header(header, whole.first<kHeaderSize>());
  crypto::seal(header.suite, make_key(1), header.nonce, whole.first(kHeaderSize), plaintext,
               whole.subspan(kHeaderSize));
  return datagram;
}

TEST(Message, EachPartOfTheHeaderStandsAtItsOffset) {
  Header header = make_header();
  header.type = MessageType::kReply;
  std::array<std::uint8_t, kHeaderSize> bytes;
  bytes.fill(0xff);
  encode_header(header, bytes);
  EXPECT_THAT(std::span(bytes).first(8), ElementsAreArray({0x41, 0x4e, 0x55, 0x42, 1, 2, 1, 0}));
  EXPECT_THAT(std::span(bytes).subspan(8, 16), ElementsAreArray(header.request_id));
  EXPECT_THAT(std::span(bytes).subspan(24, 32), ElementsAreArray(header.sender.bytes));
  EXPECT_THAT(std::span(bytes).subspan(56, 24), ElementsAreArray(header.nonce));
}

TEST(Message, WhatWasSealedOpens) {
  for (const std::size_t size : {kRequestSize, kRequestSize + 1, kMaxDatagramSize}) {
    const Datagram datagram = make_datagram(size);
    EXPECT_EQ(datagram.size(), size);
    const auto header = decode_header(datagram);
    ASSERT_TRUE(header);
    EXPECT_EQ(*header, make_header());
    EXPECT_THAT(*open_message(*header, make_key(1), datagram), ElementsAreArray(kPayload));
  }
}

TEST(Message, ThePayloadMayBeEmptyOrFillTheDatagram) {
  for (const std::size_t size : {std::size_t{0}, kRequestSize - kOverhead}) {
    const std::vector<std::uint8_t> payload(size, 0xee);
    const Datagram datagram = seal_message(make_header(), make_key(1), payload, kRequestSize);
    EXPECT_THAT(*open_message(make_header(), make_key(1), datagram), ElementsAreArray(payload));
  }
}

TEST(Message, AnotherKeyDoesNotOpen) {
  const Datagram datagram = make_datagram();
  EXPECT_EQ(open_message(make_header(), make_key(2), datagram), tl::unexpected(Drop::kAuthentication));
}

// F22. The fixed part of the header is judged before the seal; everything behind it by the seal alone.
TEST(Message, F22NoFlippedBitGoesThrough) {
  const Datagram original = make_datagram();
  const std::map<std::size_t, Drop> by_offset{{0, Drop::kMagic},   {1, Drop::kMagic},   {2, Drop::kMagic},
                                              {3, Drop::kMagic},   {4, Drop::kVersion}, {6, Drop::kSuite},
                                              {7, Drop::kReserved}};
  for (std::size_t bit = 0; bit < original.size() * 8; ++bit) {
    Datagram flipped = original;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ 1u << bit % 8);
    const auto expected = by_offset.find(bit / 8);
    // Of type 1 (request) no single bit makes 2 (reply).
    const Drop other = bit / 8 == 5 ? Drop::kType : Drop::kAuthentication;
    EXPECT_EQ(drop_of(flipped), expected != by_offset.end() ? expected->second : other) << "bit " << bit;
  }
}

TEST(Message, F22ARequestPassedOffAsAReplyDoesNotOpen) {
  Datagram datagram = make_datagram();
  datagram[5] = static_cast<std::uint8_t>(MessageType::kReply);
  EXPECT_EQ(drop_of(datagram), Drop::kAuthentication);
}

// F26.
TEST(Message, F26NoTruncationAndNoAdditionGoesThrough) {
  const Datagram original = make_datagram(kMaxDatagramSize);
  for (std::size_t size = 0; size < original.size(); ++size) {
    EXPECT_EQ(drop_of(std::span(original).first(size)), size < kRequestSize ? Drop::kLength : Drop::kAuthentication)
        << size;
  }
  Datagram longer = make_datagram();
  longer.push_back(0);
  EXPECT_EQ(drop_of(longer), Drop::kAuthentication);
  Datagram too_long = original;
  too_long.push_back(0);
  EXPECT_EQ(drop_of(too_long), Drop::kLength);
}

TEST(Message, F26OpeningWhatIsShorterThanAnyMessageIsSafe) {
  const Datagram original = make_datagram();
  for (std::size_t size = 0; size < kOverhead; ++size) {
    EXPECT_EQ(open_message(make_header(), make_key(1), std::span(original).first(size)), tl::unexpected(Drop::kLength));
  }
}

// F24: the four messages of WireGuard, with their real sizes and the largest of its data packets.
TEST(Message, F24WireGuardsMessagesAreDropped) {
  const std::array<std::pair<std::uint8_t, std::size_t>, 6> shapes{
      {{1, 148}, {2, 92}, {3, 64}, {4, 32}, {4, kRequestSize}, {4, kMaxDatagramSize}}};
  for (const auto& [type, size] : shapes) {
    Datagram datagram(size, 0xa5);
    std::ranges::copy(std::array<std::uint8_t, 4>{type, 0, 0, 0}, datagram.begin());
    EXPECT_EQ(drop_of(datagram), Drop::kMagic) << size;
  }
}

// F24, the reverse: WireGuard takes the first four bytes as a little-endian number from 1 to 4.
TEST(Message, F24NoMessageOfOursLooksLikeWireGuards) {
  const Datagram datagram = make_datagram();
  EXPECT_FALSE(datagram[0] >= 1 && datagram[0] <= 4);
  EXPECT_NE(datagram[1], 0);
}

TEST(Message, ALaterVersionIsToldFromAMutilatedMessageByItsVersion) {
  EXPECT_EQ(drop_of(Datagram{0x41, 0x4e, 0x55, 0x42, 2, 1, 1, 0}), Drop::kVersion);
  EXPECT_EQ(drop_of(Datagram{0x41, 0x4e, 0x55, 0x42, 1, 1, 1, 0}), Drop::kLength);
}

TEST(Message, AnUnknownNumberInTheHeaderIsDropped) {
  for (unsigned number = 0; number <= 0xff; ++number) {
    const auto dropped = [number](std::size_t offset) {
      Datagram datagram = make_datagram();
      datagram[offset] = static_cast<std::uint8_t>(number);
      const auto header = decode_header(datagram);
      return header ? std::optional<Drop>() : header.error();
    };
    EXPECT_EQ(dropped(4), number == 1 ? std::optional<Drop>() : Drop::kVersion);
    EXPECT_EQ(dropped(5), number == 1 || number == 2 ? std::optional<Drop>() : Drop::kType);
    EXPECT_EQ(dropped(6), number == 1 ? std::optional<Drop>() : Drop::kSuite);
    EXPECT_EQ(dropped(7), number == 0 ? std::optional<Drop>() : Drop::kReserved);
  }
}

TEST(Message, AnAuthenticLengthBeyondTheEndIsDropped) {
  std::vector<std::uint8_t> plaintext(kRequestSize - kHeaderSize - crypto::kTagSize);
  const auto with_length = [&plaintext](std::size_t length) {
    plaintext[0] = static_cast<std::uint8_t>(length >> 8);
    plaintext[1] = static_cast<std::uint8_t>(length & 0xff);
    return drop_of(seal_plaintext(plaintext));
  };
  EXPECT_EQ(with_length(plaintext.size() - kLengthSize), std::nullopt);
  EXPECT_EQ(with_length(plaintext.size() - kLengthSize + 1), Drop::kPadding);
  EXPECT_EQ(with_length(0xffff), Drop::kPadding);
}

TEST(Message, AuthenticPaddingThatIsNotZeroIsDropped) {
  std::vector<std::uint8_t> plaintext(kRequestSize - kHeaderSize - crypto::kTagSize);
  plaintext[1] = 3;
  EXPECT_EQ(drop_of(seal_plaintext(plaintext)), std::nullopt);
  for (const std::size_t offset : {kLengthSize + 3, plaintext.size() - 1}) {
    auto dirty = plaintext;
    dirty[offset] = 1;
    EXPECT_EQ(drop_of(seal_plaintext(dirty)), Drop::kPadding);
  }
}

// Status displays and documentation rely on the names; each reason has its own.
TEST(Message, EveryDropReasonHasItsName) {
  std::vector<std::string_view> names;
  for (std::size_t reason = 0; reason < kDropReasons; ++reason) names.emplace_back(name_of(static_cast<Drop>(reason)));
  EXPECT_THAT(names, testing::ElementsAre("length", "magic", "version", "type", "suite", "reserved", "unknown-sender",
                                          "source", "rate", "authentication", "padding", "unsolicited"));
}

}  // namespace
}  // namespace anubis::wire

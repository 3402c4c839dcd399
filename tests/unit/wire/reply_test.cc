// The reply's payload: docs/protocol.md, section 5.4.
#include "lib/wire/reply.h"

#include <numeric>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::wire {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

std::vector<std::uint8_t> bytes(std::string_view text) { return {text.begin(), text.end()}; }

Reply make_reply() {
  Reply reply{.result = ResultCode::kConflict,
              .text = "10.44.0.0/24 belongs to xena",
              .token = {},
              .listen_port = 4296,
              .presence = PeerPresence::kFound,
              .lease = std::chrono::hours(1),
              .state = SessionState::kGoingDown,
              .up_for = std::chrono::hours(100'000),
              .preshared_key_id = crypto::PresharedKeyId{9, 8, 7},
              .suites = {crypto::Suite{2}, crypto::Suite::kXChaCha20Poly1305}};
  std::iota(reply.token.begin(), reply.token.end(), std::uint8_t{1});
  return reply;
}

// The least that a reply must have, in the encoding of protobuf, with more behind it (the last of a field counts).
std::optional<Reply> consume_minimal_and(std::string_view rest) {
  return consume_reply(
      bytes("\x08\x01\x1a\x10"
            "0123456789abcdef"
            "\x38\x01"s.append(rest)));
}

TEST(Reply, EveryFieldComesBack) { EXPECT_EQ(consume_reply(create_reply(make_reply())), make_reply()); }

TEST(Reply, EveryNumberComesBack) {
  for (unsigned number = 1; number <= 10; ++number) {
    Reply reply = make_reply();
    reply.result = static_cast<ResultCode>(number);
    EXPECT_EQ(consume_reply(create_reply(reply)), reply) << name_of(reply.result);
  }
  for (unsigned number = 0; number <= 2; ++number) {
    Reply reply = make_reply();
    reply.presence = static_cast<PeerPresence>(number);
    EXPECT_EQ(consume_reply(create_reply(reply)), reply) << number;
  }
  for (unsigned number = 1; number <= 5; ++number) {
    Reply reply = make_reply();
    reply.state = static_cast<SessionState>(number);
    EXPECT_EQ(consume_reply(create_reply(reply)), reply) << number;
  }
}

TEST(Reply, TheTextIsCutToFitTheDatagram) {
  Reply reply = make_reply();
  reply.lease = kMaxLease;
  reply.listen_port = 65535;
  for (const std::size_t size : {kRequestSize, kMaxDatagramSize}) {
    reply.text = std::string(2000, 'x');
    const auto payload = create_reply(reply, size);
    EXPECT_EQ(payload.size() + kOverhead, size);
    const auto consumed = consume_reply(payload);
    ASSERT_TRUE(consumed);
    EXPECT_THAT(reply.text, testing::StartsWith(consumed->text));
    EXPECT_GT(consumed->text.size(), size - kOverhead - 80);
  }
}

TEST(Reply, ATextOfAnyLengthLeavesTheReplyWhole) {
  Reply reply = make_reply();
  for (std::size_t size = 0; size < kRequestSize; ++size) {
    reply.text = std::string(size, 'x');
    const auto payload = create_reply(reply);
    ASSERT_LE(payload.size() + kOverhead, kRequestSize) << size;
    EXPECT_EQ(consume_reply(payload)->token, reply.token) << size;
  }
}

TEST(Reply, ATextIsCutBetweenCharacters) {
  Reply reply = make_reply();
  for (const auto* padding : {"", "x", "xx"}) {
    reply.text = padding;
    for (int i = 0; i < 500; ++i) reply.text += "€";
    const auto text = consume_reply(create_reply(reply))->text;
    EXPECT_THAT(reply.text, testing::StartsWith(text));
    EXPECT_EQ((text.size() - std::string_view(padding).size()) % 3, 0u);
  }
}

// A peer is authenticated, not trusted: what it writes reaches our user's terminal.
TEST(Reply, WhatATerminalWouldObeyIsReplaced) {
  EXPECT_EQ(consume_minimal_and("\x12\x04\x1b[2J")->text, "?[2J");
  EXPECT_EQ(consume_minimal_and("\x12\x03"
                                "a\nb")
                ->text,
            "a?b");
  EXPECT_EQ(consume_minimal_and("\x12\x03"
                                "a\0b"sv)
                ->text,
            "a?b");
  EXPECT_EQ(consume_minimal_and("\x12\x02\x7f\xff")->text, "??");
  EXPECT_EQ(consume_minimal_and("\x12\x02\xc2\x9b")->text, "??");  // U+009B, the one-character CSI
}

TEST(Reply, NumbersOutOfRangeAreRefused) {
  EXPECT_TRUE(consume_minimal_and(""));
  EXPECT_FALSE(consume_minimal_and("\x08\x00"sv));  // no result
  EXPECT_FALSE(consume_minimal_and("\x1a\x00"sv));  // no token
  EXPECT_FALSE(
      consume_minimal_and("\x1a\x11"
                          "0123456789abcdefg"));
  EXPECT_TRUE(consume_minimal_and("\x20\xff\xff\x03"));
  EXPECT_FALSE(consume_minimal_and("\x20\x80\x80\x04"));         // port 65536
  EXPECT_FALSE(consume_minimal_and("\x28\x03"));                 // presence
  EXPECT_FALSE(consume_minimal_and("\x28\x81\x02"));             // 257
  EXPECT_TRUE(consume_minimal_and("\x30\x80\x86\xb0\x96\x01"));  // ten years
  EXPECT_FALSE(consume_minimal_and("\x30\x81\x86\xb0\x96\x01"));
  EXPECT_FALSE(consume_minimal_and("\x38\x00"sv));  // no state
  EXPECT_FALSE(consume_minimal_and("\x38\x06"));
  EXPECT_TRUE(consume_minimal_and("\x40\xff\xff\xff\xff\x0f"));
  EXPECT_FALSE(consume_minimal_and("\x40\x80\x80\x80\x80\x10"));  // up for 2^32 s
}

TEST(Reply, F27WhatIsNoMessageIsRefused) {
  EXPECT_FALSE(consume_reply({}));
  EXPECT_FALSE(consume_minimal_and("\x12\xff\xff\xff\xff\x07"));  // a text of 2 GB
  EXPECT_FALSE(consume_minimal_and("\x10\x01"));                  // the text as a number
  EXPECT_FALSE(consume_minimal_and("\x3a\x01x"));                 // the state as bytes
  EXPECT_FALSE(consume_minimal_and("\x7b\x7c"));                  // a group
}

TEST(Reply, F28UnknownFieldsAreIgnored) {
  EXPECT_EQ(consume_minimal_and("\x78\x05\x7a\x03xyz"), consume_minimal_and(""));
}

TEST(Reply, F28AnUnknownResultIsInternalAndNamesItsNumber) {
  const auto reply = consume_minimal_and("\x08\x2a\x12\x07sulking");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->result, ResultCode::kInternal);
  EXPECT_THAT(reply->text, testing::AllOf(testing::HasSubstr("42"), testing::HasSubstr("sulking")));
  EXPECT_EQ(consume_minimal_and("\x08\x81\x02")->result, ResultCode::kInternal);  // 257 is not OK
}

TEST(Reply, TimesOutOfRangeAreSentAsTheNearestInRange) {
  Reply reply = make_reply();
  reply.lease = std::chrono::seconds(-1);  // has just run out; zero would mean that it never does
  reply.up_for = std::chrono::seconds::max();
  const auto consumed = consume_reply(create_reply(reply));
  ASSERT_TRUE(consumed);
  EXPECT_EQ(consumed->lease, std::chrono::seconds(1));
  EXPECT_EQ(consumed->up_for, std::chrono::seconds(0xffffffff));
}

TEST(Reply, ResultsHaveTheirNames) {
  std::vector<std::string_view> names;
  for (unsigned number = 1; number <= 10; ++number) names.emplace_back(name_of(static_cast<ResultCode>(number)));
  EXPECT_THAT(names, testing::ElementsAre("OK", "DENIED", "STALE", "CONFLICT", "VERSION", "SUITE", "BUSY",
                                          "BAD_REQUEST", "INTERNAL", "NOT_UP"));
}

}  // namespace
}  // namespace anubis::wire

// F27: whatever bytes come authentically from a peer are judged, and what is taken for a message means the same when it
// is written again. Worth most under the sanitizers.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "lib/wire/reply.h"
#include "lib/wire/request.h"
#include "tests/support/preshared_key.h"

namespace anubis::wire {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr int kRounds = 50'000;

// A few bytes changed, taken out, doubled or put in.
Bytes mutate(Bytes bytes, std::mt19937& random) {
  const auto below = [&random](std::size_t bound) { return random() % bound; };
  for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
    const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size() + 1));
    const auto value = static_cast<std::uint8_t>(random());
    switch (below(4)) {
      case 0:
        if (at != bytes.end()) *at = value;
        break;
      case 1:
        if (at != bytes.end()) bytes.erase(at);
        break;
      case 2:
        bytes.insert(at, value);
        break;
      case 3: {
        const Bytes tail(at, bytes.end());
        bytes.insert(bytes.end(), tail.begin(), tail.end());
        bytes.resize(std::min(bytes.size(), kMaxDatagramSize - kOverhead));
        break;
      }
    }
  }
  return bytes;
}

TEST(Mutation, F27AMangledRequestIsRefusedOrMeansTheSameWrittenAgain) {
  const auto created = create_request({.operation = Operation::kBye,
                                       .token = Token{1, 2, 3},
                                       .suites = {crypto::Suite::kXChaCha20Poly1305},
                                       .listen_port = 4296,
                                       .lease = std::chrono::hours(1),
                                       .successor = crypto::ProductionPublicKey(),
                                       .preshared_key = test::preshared_key(7)});
  const Bytes whole(created.begin(), created.end());
  std::mt19937 random(1);
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto request = consume_request(mutate(whole, random));
    if (!request) continue;
    ++accepted;
    ASSERT_EQ(consume_request(create_request(*request)), *request) << "round " << round;
  }
  EXPECT_GT(accepted, kRounds / 20);  // or the test would ask nothing
  EXPECT_LT(accepted, kRounds);
}

TEST(Mutation, F27AMangledReplyIsRefusedOrMeansTheSameWrittenAgain) {
  const Bytes whole = create_reply({.result = ResultCode::kConflict,
                                    .text = "10.44.0.0/24 gehört xena",
                                    .token = Token{1, 2, 3},
                                    .listen_port = 4296,
                                    .presence = PeerPresence::kFound,
                                    .lease = std::chrono::hours(1),
                                    .state = SessionState::kUp,
                                    .up_for = std::chrono::hours(9),
                                    .preshared_key_id = crypto::PresharedKeyId{9, 8}});
  std::mt19937 random(1);
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto reply = consume_reply(mutate(whole, random));
    if (!reply) continue;
    ++accepted;
    ASSERT_EQ(consume_reply(create_reply(*reply, kMaxDatagramSize)), *reply) << "round " << round;
  }
  EXPECT_GT(accepted, kRounds / 20);
  EXPECT_LT(accepted, kRounds);
}

}  // namespace
}  // namespace anubis::wire

// What others can make us do: docs/protocol.md, section 4.4.
#include <map>

#include <gmock/gmock.h>

#include "lib/gate/token_bucket.h"
#include "tests/unit/gate/peers_end.h"

namespace anubis::gate {
namespace {

using namespace std::chrono_literals;
using base::Time;
using wire::Drop;
using wire::ResultCode;

TEST(TokenBucket, GivesTheBurstAtOnceAndThenAsItFills) {
  const Rate rate{.interval = 20ms, .burst = 5};
  TokenBucket bucket;
  Time now{100s};
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(bucket.take(rate, now));
  EXPECT_FALSE(bucket.take(rate, now));
  EXPECT_FALSE(bucket.take(rate, now + 19ms));
  EXPECT_TRUE(bucket.take(rate, now + 20ms));
  EXPECT_FALSE(bucket.take(rate, now + 39ms));
  // Never more than it holds, however long it was left alone.
  now += 1h;
  EXPECT_TRUE(bucket.has(rate, 5, now));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(bucket.take(rate, now));
  EXPECT_FALSE(bucket.take(rate, now));
}

TEST(TokenBucket, WithoutAnIntervalItNeverEmpties) {
  const Rate rate{.interval = 0s, .burst = 1};
  TokenBucket bucket;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(bucket.take(rate, Time{100s}));
}

class LimitsTest : public PeersEndTest {
 protected:
  // With the current token, so that it is accepted.
  wire::Datagram status(std::size_t peer) {
    const auto learnt = answer_to({.suites = {kXChaCha}}, kXChaCha, peer);
    return request({.token = learnt.token, .suites = {kXChaCha}}, kXChaCha, peer);
  }
  std::size_t replies() { return take<SendDatagram>().size(); }
};

TEST_F(LimitsTest, F66WhoFloodsIsServedHisShareAndNobodyElseNoticesIt) {
  start({}, 2);
  std::size_t answered_flood = 0;
  std::size_t answered_other = 0;
  const auto flood = request({.suites = {kXChaCha}}, kXChaCha, 0);  // STALE, each time
  for (int millisecond = 0; millisecond < 10'000; ++millisecond, now += 1ms) {
    for (int i = 0; i < 10; ++i) deliver(flood, 0);
    answered_flood += replies();
    if (millisecond % 100 == 0) {
      deliver(request({.suites = {kXChaCha}}, kXChaCha, 1), 1);
      answered_other += replies();
    }
  }
  EXPECT_EQ(answered_other, 100u);
  EXPECT_NEAR(static_cast<double>(answered_flood), 200 + 10'000.0 / 20, 1);
  EXPECT_EQ(dropped(Drop::kRate), 100'000u - answered_flood);
}

TEST_F(LimitsTest, RepetitionsAreBoundedToo) {
  start({});
  const auto accepted = status(0);
  for (int i = 0; i < 1000; ++i) deliver(accepted);
  EXPECT_LE(replies(), 200u);
  EXPECT_GE(dropped(Drop::kRate), 800u);
}

TEST_F(LimitsTest, TheShareIsCheckedBeforeAnyCryptographyAndOnlyAfterTheSource) {
  start({.limits = {.per_peer = {.interval = 1s, .burst = 1}}}, 2);
  deliver(request({.suites = {kXChaCha}}), 0);
  const auto more = request({.suites = {kXChaCha}});
  deliver(more, 1);  // from another's address: not on this one's account, nor on that one's
  EXPECT_EQ(dropped(Drop::kSource), 1u);
  EXPECT_EQ(dropped(Drop::kRate), 0u);
  auto forged = more;
  forged.back() ^= 1;
  deliver(forged, 0);
  EXPECT_EQ(dropped(Drop::kRate), 1u);
  EXPECT_EQ(dropped(Drop::kAuthentication), 0u);
}

// Each asks twice, for the token and then for what it wants, and repeats what is not answered as hosts do.
TEST_F(LimitsTest, F55TenThousandThatComeBackAtOnceAreAllServedSoon) {
  constexpr std::size_t kPeers = 10'000;
  start({}, kPeers);
  struct Asking {
    std::size_t peer;
    base::Duration interval;
    std::optional<wire::Token> token;
  };
  std::multimap<Time, Asking> next;
  for (std::size_t i = 0; i < kPeers; ++i) next.emplace(now, Asking{i, 250ms, std::nullopt});
  const Time began = now;
  std::size_t served = 0;
  while (!next.empty() && now < began + 10s) {
    now = next.begin()->first;
    Asking asking = next.extract(next.begin()).mapped();
    deliver(request({.token = asking.token, .suites = {kXChaCha}}, kXChaCha, asking.peer), asking.peer);
    const auto replies = take<SendDatagram>();
    if (replies.empty()) {
      const auto spread = static_cast<std::uint64_t>((asking.interval / 2).count());
      const Time again = now + asking.interval * 3 / 4 + base::Duration(random.below(spread));
      asking.interval = std::min<base::Duration>(asking.interval * 2, 4s);
      next.emplace(again, asking);
      continue;
    }
    const auto reply = reply_in(replies[0].bytes);
    if (reply.result == ResultCode::kOk) {
      ++served;
    } else {
      asking.token = reply.token;
      next.emplace(now + 1ms, asking);
    }
  }
  EXPECT_EQ(served, kPeers);
  EXPECT_LT(now - began, 5s);
}

TEST_F(LimitsTest, ManyWhoFloodTogetherDoNotStarveWhoAsksNowAndThen) {
  constexpr std::size_t kHostile = 500;
  start({}, kHostile + 1);
  std::vector<wire::Datagram> floods;
  for (std::size_t i = 0; i < kHostile; ++i) floods.push_back(request({.suites = {kXChaCha}}, kXChaCha, i));
  std::size_t answered_flood = 0;
  for (int tenth = 0; tenth < 20; ++tenth, now += 100ms) {
    for (int i = 0; i < 100; ++i) {
      for (std::size_t peer = 0; peer < kHostile; ++peer) deliver(floods[peer], peer);
    }
    answered_flood += replies();
    deliver(request({.suites = {kXChaCha}}, kXChaCha, kHostile), kHostile);
    EXPECT_EQ(replies(), 1u) << tenth;
  }
  // 500 shares would be 145,000 in two seconds. Together they get the common burst and what fills again, and half of
  // their own bursts besides.
  EXPECT_LT(answered_flood, 20'000u + 40'000u + kHostile * 101u);
}

TEST_F(LimitsTest, FirstContactsHaveABudgetThatOldAcquaintancesDoNotNeed) {
  start({.limits = {.first_contacts = {.interval = 10ms, .burst = 5}}}, 20);
  for (std::size_t i = 0; i < 20; ++i) deliver(request({.suites = {kXChaCha}}, kXChaCha, i), i);
  EXPECT_EQ(agreement.derived, 5u);
  EXPECT_EQ(replies(), 5u);
  EXPECT_EQ(dropped(Drop::kRate), 15u);
  deliver(request({.suites = {kXChaCha}}, kXChaCha, 0), 0);
  EXPECT_EQ(replies(), 1u);
  now += 10ms;
  deliver(request({.suites = {kXChaCha}}, kXChaCha, 19), 19);
  EXPECT_EQ(replies(), 1u);
}

TEST_F(LimitsTest, OfIdleSessionsTheOldestAreForgotten) {
  start({.limits = {.idle_sessions = 3}}, 10);
  std::vector<wire::Token> tokens;
  for (std::size_t i = 0; i < 10; ++i) tokens.push_back(answer_to({.suites = {kXChaCha}}, kXChaCha, i).token);
  const auto result = [&](std::size_t peer) {
    return answer_to({.token = tokens[peer], .suites = {kXChaCha}}, kXChaCha, peer).result;
  };
  EXPECT_EQ(result(9), ResultCode::kOk);
  EXPECT_EQ(result(7), ResultCode::kOk);
  EXPECT_EQ(result(0), ResultCode::kStale);  // with a token drawn anew
  EXPECT_EQ(agreement.derived, 11u);
}

TEST_F(LimitsTest, ASessionThatIsUpIsNeverForgotten) {
  start({.limits = {.idle_sessions = 3}}, 50);
  gate->resume(index_of(0), Remembered{.up = true, .since = now}, true, now);
  for (std::size_t i = 1; i < 50; ++i) (void)answer_to({.suites = {kXChaCha}}, kXChaCha, i);
  EXPECT_EQ(gate->view(index_of(0), now).state, SessionState::kUp);
}

TEST_F(LimitsTest, APeerThatIsRemovedWhileIdleLeavesNothing) {
  start({.limits = {.idle_sessions = 1}}, 4);
  (void)answer_to({.suites = {kXChaCha}}, kXChaCha, 0);
  gate->peer_removed(index_of(0), now);
  for (std::size_t i = 1; i < 4; ++i) (void)answer_to({.suites = {kXChaCha}}, kXChaCha, i);
  gate->peer_removed(index_of(3), now);
  EXPECT_EQ(answer_to({.suites = {kXChaCha}}, kXChaCha, 2).result, ResultCode::kStale);
}

// Clients that give a command and go away, again and again.
TEST_F(LimitsTest, CommandsThatWaitForOnePeerAreBounded) {
  start({});
  for (std::uint64_t i = 1; i <= 100; ++i) gate->up(CommandId{i}, index_of(0), {.timeout = 1h}, now);
  auto finished = take<FinishCommand>();
  ASSERT_EQ(finished.size(), 36u);
  EXPECT_EQ(finished[0].outcome.verdict, Verdict::kLocal);
  EXPECT_EQ(finished[0].outcome.text, "too many commands wait for it already");
  gate->resume(index_of(0), std::nullopt, true, now);
  for (std::uint64_t i = 1; i <= 100; ++i) gate->down(CommandId{1000 + i}, index_of(0), 1h, now);
  finished = take<FinishCommand>();
  EXPECT_EQ(finished.size(), 64u + 36u);  // the ups that waited have been overtaken
}

TEST_F(LimitsTest, DownOfWhatIsDownLeavesNoSessionsWithoutBound) {
  start({.limits = {.idle_sessions = 2}}, 10);
  const auto token = answer_to({.suites = {kXChaCha}}, kXChaCha, 0).token;
  for (std::size_t i = 1; i < 10; ++i) gate->down(CommandId{i}, index_of(i), 1s, now);
  (void)gate->take_actions();
  EXPECT_EQ(answer_to({.token = token, .suites = {kXChaCha}}, kXChaCha, 0).result, ResultCode::kStale);
}

}  // namespace
}  // namespace anubis::gate

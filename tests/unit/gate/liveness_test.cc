#include "lib/gate/liveness.h"

#include <chrono>

#include <gtest/gtest.h>

namespace anubis::gate {
namespace {

using namespace std::chrono_literals;

class LivenessTest : public ::testing::Test {
 protected:
  LivenessTest() { look(); }
  void look() { liveness.observe(seen, now); }
  // So much in each of so many times 10 s.
  void pass(int times, std::uint64_t received, std::uint64_t sent) {
    for (int i = 0; i < times; ++i) {
      now += 10s;
      seen.rx_bytes += received;
      seen.tx_bytes += sent;
      look();
    }
  }

  Liveness liveness;
  Observation seen{.handshake = 1, .rx_bytes = 5000, .tx_bytes = 5000};
  base::Time now{1000s};
};

TEST_F(LivenessTest, ALinkOnWhichNobodySpeaksIsQuietAndNeverSilent) {
  EXPECT_FALSE(liveness.is_quiet(now));
  pass(6 * 24, 0, 0);
  EXPECT_TRUE(liveness.is_quiet(now));
  EXPECT_FALSE(liveness.silent_for(now));
  EXPECT_FALSE(liveness.unanswered_for(now));
}

// Of ours, every 25 s; they want no answer before the session is two minutes old.
TEST_F(LivenessTest, KeepalivesOfOursAreNotUnanswered) {
  for (int i = 0; i < 50; ++i) {
    pass(2, 0, 0);
    pass(1, 0, 32);
    EXPECT_FALSE(liveness.unanswered_for(now));
  }
}

TEST_F(LivenessTest, AStreamInOneDirectionIsAnsweredByKeepalives) {
  pass(100, 32, 1'000'000);
  EXPECT_FALSE(liveness.unanswered_for(now));
  EXPECT_FALSE(liveness.is_quiet(now));
  EXPECT_EQ(liveness.idle_for(now), 0s);
}

TEST_F(LivenessTest, WhoIsSpokenToAndDoesNotAnswerIsDoubtedAtOnceAndSilentAfterThreeMinutes) {
  pass(1, 0, 1400);
  EXPECT_EQ(liveness.unanswered_for(now), 0s);
  pass(16, 0, 148);  // initiations
  EXPECT_EQ(liveness.unanswered_for(now), 160s);
  EXPECT_FALSE(liveness.silent_for(now));
  pass(1, 0, 148);
  EXPECT_EQ(liveness.silent_for(now), 180s);
  EXPECT_FALSE(liveness.is_quiet(now));
}

TEST_F(LivenessTest, TheFirstWordAfterAnHourIsNoAlarm) {
  pass(360, 0, 0);
  pass(1, 0, 148 + 1400);
  EXPECT_FALSE(liveness.silent_for(now));
  pass(2, 0, 148);
  EXPECT_FALSE(liveness.silent_for(now));
  pass(1, 0, 148);
  EXPECT_TRUE(liveness.silent_for(now));
}

TEST_F(LivenessTest, AnythingHeardEndsTheSilence) {
  pass(30, 0, 148);
  ASSERT_TRUE(liveness.silent_for(now));
  pass(1, 92, 32);
  EXPECT_FALSE(liveness.silent_for(now));
  EXPECT_FALSE(liveness.unanswered_for(now));
}

TEST_F(LivenessTest, AHandshakeAloneIsHeardToo) {
  pass(30, 0, 148);
  seen.handshake = 2;
  pass(1, 0, 0);
  EXPECT_FALSE(liveness.silent_for(now));
}

TEST_F(LivenessTest, APeerMadeAnewCountsFromZeroAndIsNotBlamed) {
  pass(30, 0, 148);
  seen = {.handshake = 0, .rx_bytes = 0, .tx_bytes = 148};
  pass(1, 0, 0);
  EXPECT_FALSE(liveness.unanswered_for(now));
}

TEST_F(LivenessTest, KeepalivesAndHandshakesAreNoTraffic) {
  for (int i = 0; i < 30; ++i) {
    pass(12, 32, 32);
    ++seen.handshake;
    pass(1, 148 + 32, 92 + 32);
  }
  EXPECT_EQ(liveness.idle_for(now), 30 * 13 * 10s);
  pass(1, 1400, 60);
  EXPECT_EQ(liveness.idle_for(now), 0s);
}

TEST_F(LivenessTest, WhatIsSentToNobodyIsNoTraffic) {
  pass(30, 0, 5000);
  EXPECT_EQ(liveness.idle_for(now), 300s);
}

}  // namespace
}  // namespace anubis::gate

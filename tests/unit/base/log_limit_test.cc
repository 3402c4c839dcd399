#include "lib/base/log_limit.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::base::log {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class LimitTest : public testing::Test {
 protected:
  unsigned written(std::string_view name, std::string_view text, unsigned times) {
    unsigned count = 0;
    for (unsigned i = 0; i < times; ++i) count += limit.admit(name, text, now).write ? 1 : 0;
    return count;
  }

  Limit limit;
  Time now{1000s};
};

TEST_F(LimitTest, WhatRepeatsItselfIsCountedAndToldInTheNextMinute) {
  EXPECT_EQ(written("session.up", "xena", 100), 30u);
  now += 61s;
  const auto decision = limit.admit("daemon.stopping", "telling the peers", now);
  EXPECT_TRUE(decision.write);
  EXPECT_THAT(decision.suppressed, ElementsAre("70 more messages like \"session.up: xena\" were not written"));
  EXPECT_THAT(limit.admit("daemon.stopping", "telling the peers", now).suppressed, IsEmpty());  // told once
  EXPECT_EQ(written("session.up", "xena", 100), 30u);
}

TEST_F(LimitTest, OneThatRepeatsItselfSilencesNoOther) {
  (void)written("session.up", "xena", 100'000);
  EXPECT_EQ(written("session.up", "jacinth", 1), 1u);
  EXPECT_EQ(written("interface.degraded", "wg0 is gone", 1), 1u);
}

TEST_F(LimitTest, ManyTextsUnderOneNameAreBoundedAndSilenceNoOtherName) {
  unsigned count = 0;
  for (unsigned i = 0; i < 100'000; ++i) count += limit.admit("x", std::to_string(i), now).write ? 1 : 0;
  EXPECT_EQ(count, 3000u);
  EXPECT_EQ(written("interface.degraded", "wg0 is gone", 1), 1u);
  now += 61s;
  EXPECT_THAT(limit.admit("y", "", now).suppressed, ElementsAre("97000 more messages like \"x\" were not written"));
  EXPECT_EQ(written("x", "again", 1), 1u);
}

TEST_F(LimitTest, ATextOfAnyLengthIsQuotedInPart) {
  (void)written("x", std::string(100'000, 'y'), 31);
  now += 61s;
  const auto suppressed = limit.admit("z", "", now).suppressed;
  ASSERT_EQ(suppressed.size(), 1u);
  EXPECT_LT(suppressed[0].size(), 200u);
}

TEST_F(LimitTest, WhatComesNowAndThenIsAlwaysWritten) {
  for (int i = 0; i < 1000; ++i, now += 3s) EXPECT_TRUE(limit.admit("session.up", "xena", now).write);
}

}  // namespace
}  // namespace anubis::base::log

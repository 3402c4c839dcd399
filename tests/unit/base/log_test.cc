#include "lib/base/log.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::base::log {
namespace {

using testing::ContainsRegex;
using testing::IsEmpty;

class LogTest : public testing::Test {
 protected:
  ~LogTest() override { set_level(Level::kInfo); }
};

TEST_F(LogTest, ALineHasATimeALevelANameAndAText) {
  testing::internal::CaptureStderr();
  warning("PEER_GONE", "{} left after {} s", "jacinth", 7);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              ContainsRegex("^[0-9-]+T[0-9:.]+[+-][0-9:]+ warning PEER_GONE: jacinth left after 7 s\n$"));
}

TEST_F(LogTest, TextIsNeverTakenForAFormat) {
  testing::internal::CaptureStderr();
  write(Level::kError, "NAME", "{} %v {0}");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), ContainsRegex("error NAME: \\{\\} %v \\{0\\}\n$"));
}

TEST_F(LogTest, WhatIsBelowTheLevelIsNotWritten) {
  testing::internal::CaptureStderr();
  debug("NAME", "text");
  set_level(Level::kError);
  info("NAME", "text");
  warning("NAME", "text");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), IsEmpty());
  set_level(Level::kDebug);
  testing::internal::CaptureStderr();
  debug("NAME", "text");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), ContainsRegex("debug NAME: text"));
}

TEST(Escaped, LeavesPlainTextAndShowsTheRestAsBytes) {
  EXPECT_EQ(escaped("plain text, ~!"), "plain text, ~!");
  EXPECT_EQ(escaped("\x1b[31m\n"), R"(\x1b[31m\x0a)");
  EXPECT_EQ(escaped(std::string("\0\x7f\xc3\xa4", 4)), R"(\x00\x7f\xc3\xa4)");
  // Nobody can pretend an escape.
  EXPECT_EQ(escaped(R"(\x0a)"), R"(\x5cx0a)");
}

TEST(Escaped, CutsWhatIsTooLong) {
  EXPECT_EQ(escaped("abc", 3), "abc");
  EXPECT_EQ(escaped("abcd", 3), "abc...");
  EXPECT_EQ(escaped(std::string(10'000, 'x')).size(), 256u + 3);
}

}  // namespace
}  // namespace anubis::base::log

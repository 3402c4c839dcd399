#include "lib/base/log.h"

#include <algorithm>
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

// As a hostile peer, file or client would like to have it.
TEST_F(LogTest, NoTextCanPassForAnotherMessageOrCommandATerminal) {
  testing::internal::CaptureStderr();
  write(Level::kWarning, "session.failed", "xena: \x1b[2J\r\xc2\x9b\xff\x7f ok é\n2026-01-01 info session.up: jacinth");
  const std::string captured = testing::internal::GetCapturedStderr();
  EXPECT_THAT(captured, testing::EndsWith("warning session.failed: xena: \\x1b[2J\\x0d\\xc2\\x9b\\xff\\x7f ok é\n"
                                          "    2026-01-01 info session.up: jacinth\n"));
}

TEST_F(LogTest, AFloodIsCutOffAndOtherNamesAreNot) {
  testing::internal::CaptureStderr();
  for (int i = 0; i < 1000; ++i) write(Level::kWarning, "FLOOD", "the same");
  write(Level::kError, "OTHER", "something else");
  const std::string captured = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(captured.begin(), captured.end(), '\n'), 31);
  EXPECT_THAT(captured, testing::HasSubstr("error OTHER: something else"));
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

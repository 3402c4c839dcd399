#include "anubis-cli/text.h"

#include <cstdlib>
#include <ctime>

#include <gmock/gmock.h>

namespace anubis::cli {
namespace {

using testing::ElementsAre;

TEST(Printable, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(printable("jacinth did not answer; is 4297/udp reachable?"),
            "jacinth did not answer; is 4297/udp reachable?");
  EXPECT_EQ(printable("Žofie 猫 … 🐺"), "Žofie 猫 … 🐺");
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, EscapesWhatATerminalWouldObey) {
  const struct {
    std::string in;
    std::string out;
  } cases[] = {
      {"\x1b[31mred", "\\x1b[31mred"},
      {"a\nb\rc\td", "a\\x0ab\\x0dc\\x09d"},
      {std::string("a\0b", 3), "a\\x00b"},
      {"\x7f", "\\x7f"},
      {"\xc2\x9b"
       "31m",
       "\\u009b31m"},  // CSI as one character of C1
      {"\xe2\x80\xae"
       "txet",
       "\\u202etxet"},                   // right-to-left override
      {"\xe2\x80\x8b", "\\u200b"},       // zero width space
      {"\xf3\xa0\x81\x81", "\\ue0041"},  // a tag character
  };
  for (const auto& c : cases) EXPECT_EQ(printable(c.in), c.out);
}

TEST(Printable, EscapesBytesThatAreNotUtf8) {
  const struct {
    std::string in;
    std::string out;
  } cases[] = {
      {"\xff\xfe", "\\xff\\xfe"},
      {"a\xc3", "a\\xc3"},                           // cut off
      {"\xc0\x8a", "\\xc0\\x8a"},                    // an overlong line break
      {"\xe0\x80\x9b", "\\xe0\\x80\\x9b"},           // overlong ESC
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // a surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // beyond Unicode
      {"\x9b", "\\x9b"},
  };
  for (const auto& c : cases) EXPECT_EQ(printable(c.in), c.out);
}

TEST(Printable, ASecondLineCannotPassForOneOfOurs) {
  EXPECT_EQ(printable_lines("first\nanubis: second\n\n"), "first\n    anubis: second");
  EXPECT_EQ(printable_lines("a\r\nb"), "a\\x0d\n    b");
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("jacinth"), 7U);
  EXPECT_EQ(display_width("Žofie"), 5U);
  EXPECT_EQ(display_width("猫猫"), 4U);
  EXPECT_EQ(display_width("e\xcc\x81"), 1U);  // e and a combining acute
  EXPECT_EQ(display_width("…"), 1U);
}

TEST(Wrapped, BreaksAtSpaces) {
  EXPECT_THAT(wrapped("the side tunnel is silent", 10), ElementsAre("the side", "tunnel is", "silent"));
  EXPECT_THAT(wrapped("猫猫 猫", 6), ElementsAre("猫猫", "猫"));
  EXPECT_THAT(wrapped("short", 10), ElementsAre("short"));
  EXPECT_THAT(wrapped("a word-that-is-too-long b", 5), ElementsAre("a", "word-that-is-too-long", "b"));
  EXPECT_THAT(wrapped("", 10), ElementsAre(""));
}

TEST(FormatBytes, UsesIecUnits) {
  const struct {
    std::uint64_t bytes;
    const char* text;
  } cases[] = {
      {0, "0 B"},
      {1023, "1023 B"},
      {1024, "1.0 KiB"},
      {1234, "1.2 KiB"},
      {102'348, "99.9 KiB"},
      {102'349, "100 KiB"},
      {1'048'063, "1023 KiB"},
      {1'048'064, "1.0 MiB"},
      {1'048'575, "1.0 MiB"},
      {5'368'709'120, "5.0 GiB"},
      {UINT64_MAX, "16.0 EiB"},
  };
  for (const auto& c : cases) EXPECT_EQ(format_bytes(c.bytes), c.text) << c.bytes;
}

TEST(FormatTook, ShowsWhatMatters) {
  const struct {
    std::uint64_t microseconds;
    const char* text;
  } cases[] = {{0, "0.0 ms"},     {840, "0.8 ms"},     {9'949, "9.9 ms"},  {9'950, "10 ms"},
               {12'345, "12 ms"}, {999'499, "999 ms"}, {999'500, "1.0 s"}, {10'000'000, "10.0 s"}};
  for (const auto& c : cases) EXPECT_EQ(format_took(c.microseconds), c.text) << c.microseconds;
}

TEST(FormatAgo, ToleratesAnyClock) {
  EXPECT_EQ(format_ago(1'000, 1'012), "12 s ago");
  EXPECT_EQ(format_ago(1'000, 1'000), "just now");
  EXPECT_EQ(format_ago(2'000, 1'000), "just now");
  EXPECT_EQ(format_ago(INT64_MIN, INT64_MAX), "36500 d ago");
}

TEST(FormatTime, IsLocalTime) {
  setenv("TZ", "UTC-2", 1);  // two hours east
  tzset();
  EXPECT_EQ(format_time(0), "1970-01-01 02:00:00");
  EXPECT_EQ(format_time(1'795'177'296), "2026-11-20 14:21:36");
  EXPECT_EQ(format_time(INT64_MAX), "9223372036854775807");
}

TEST(BriefKey, IsNeverTheWholeKey) {
  EXPECT_EQ(brief_key("qOvbD3mcM1b4V0xZ0W2bGZ5X0YxJ2E0GkG6g0J3Gk2c="), "qOvbD3mc…");
  EXPECT_EQ(brief_key(""), "");
  EXPECT_EQ(brief_key("\x1b[31mabcdef"), "\\x1b[31mabc…");
}

}  // namespace
}  // namespace anubis::cli

#include "lib/base/duration.h"

#include <chrono>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::base {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

TEST(ParseDuration, UnderstandsWholeNumbersWithUnits) {
  const struct {
    std::string_view text;
    Duration duration;
  } cases[] = {
      {"0s", 0s},       {"1s", 1s},           {"90s", 90s},
      {"15m", 15min},   {"2h", 2h},           {"7d", 24h * 7},
      {"1h30m", 90min}, {"1m1s", 61s},        {"1d2h3m4s", 93'784s},
      {"007s", 7s},     {"36500d", 876'000h}, {"3153600000s", kMaxDuration},
  };
  for (const auto& [text, duration] : cases) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
    EXPECT_EQ(*parsed, duration) << text;
  }
}

TEST(ParseDuration, SaysWhatIsWrong) {
  const struct {
    std::string_view text;
    std::string_view reason;
  } cases[] = {
      {"", "is not a duration"},
      {"h", "is not a duration"},
      {"2 h", "is not a duration"},
      {" 2h", "is not a duration"},
      {"2h ", "is not a duration"},
      {"-2h", "is not a duration"},
      {"+2h", "is not a duration"},
      {"1.5h", "is not a duration"},
      {"2H", "is not a duration"},
      {"2w", "is not a duration"},
      {"30m1h", "is not a duration"},  // the larger unit stands first
      {"1h1h", "is not a duration"},
      {"forever", "is not a duration"},
      {"90", "lacks its unit"},
      {"1h30", "lacks its unit"},
      {"36501d", "is too long"},
      {"36500d1s", "is too long"},
      {"3153600001s", "is too long"},
      {"9223372036854775807d", "is too long"},
      {"99999999999999999999s", "is too long"},
      {"-99999999999999999999s", "is not a duration"},
  };
  for (const auto& [text, reason] : cases) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(parsed.error().message, StartsWith("\"" + std::string(text) + "\" "));
    EXPECT_THAT(parsed.error().message, HasSubstr(std::string(reason))) << text;
  }
}

TEST(ParseDuration, QuotesOnlyTheBeginningOfALongText) {
  const auto parsed = parse_duration(std::string(100'000, 'x'));
  ASSERT_FALSE(parsed);
  EXPECT_LT(parsed.error().message.size(), 200u);
}

TEST(FormatDuration, TellsWhatMatters) {
  const struct {
    Duration duration;
    std::string_view text;
  } cases[] = {
      {-5s, "0 s"},          {0s, "0 s"},
      {999us, "0 ms"},       {45ms, "45 ms"},
      {999ms, "999 ms"},     {1s, "1 s"},
      {59'999ms, "59 s"},    {60s, "1 min"},
      {200s, "3 min 20 s"},  {599s, "9 min 59 s"},
      {600s, "10 min"},      {3'540s, "59 min"},
      {3'599s, "59 min"},    {3'600s, "1 h"},
      {125min, "2 h 5 min"}, {24h - 1s, "23 h 59 min"},
      {24h, "1 d"},          {7 * 24h + 3h, "7 d 3 h"},
  };
  for (const auto& [duration, text] : cases) EXPECT_EQ(format_duration(duration), text);
}

}  // namespace
}  // namespace anubis::base

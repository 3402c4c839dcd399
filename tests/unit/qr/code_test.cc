#include "lib/qr/code.h"

#include <string>

#include <gtest/gtest.h>

namespace anubis::qr {
namespace {

TEST(Code, HoldsAsMuchAsTheLargestSymbolAndNotAByteMore) {
  const auto largest = Code::create(std::string(kMaxBytes, 'x'));
  ASSERT_TRUE(largest) << largest.error().message;
  EXPECT_EQ(largest->size(), 177U);
  EXPECT_EQ(largest->level(), Level::kLow);

  const auto beyond = Code::create(std::string(kMaxBytes + 1, 'x'));
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, base::ErrorCode::kFull);
  EXPECT_EQ(beyond.error().message, "2954 bytes are too many for a QR code, which holds at most 2953");
}

TEST(Code, OfNothingIsRefused) { EXPECT_EQ(Code::create("").error().code, base::ErrorCode::kInvalid); }

// Table 7 of the standard: of version 1, 17 bytes fit at the lowest level, 14, 11 and 7 at the others.
TEST(Code, HasTheHighestLevelThatDoesNotMakeItLarger) {
  const auto level_of = [](std::size_t bytes) { return Code::create(std::string(bytes, 'x'))->level(); };
  EXPECT_EQ(level_of(7), Level::kHigh);
  EXPECT_EQ(level_of(11), Level::kQuartile);
  EXPECT_EQ(level_of(14), Level::kMedium);
  EXPECT_EQ(level_of(17), Level::kLow);
  EXPECT_EQ(Code::create(std::string(17, 'x'))->size(), 21U);
  EXPECT_EQ(Code::create(std::string(18, 'x'))->size(), 25U);
}

TEST(Code, HasAQuietZoneAndAFinderPatternInThreeCorners) {
  const auto code = Code::create("anubis");
  ASSERT_TRUE(code);
  const auto last = kQuietZone + code->size() - 1;
  for (std::size_t i = 0; i < code->full_size(); ++i) {
    EXPECT_FALSE(code->is_dark(i, kQuietZone - 1));
    EXPECT_FALSE(code->is_dark(kQuietZone - 1, i));
    EXPECT_FALSE(code->is_dark(i, last + 1));
    EXPECT_FALSE(code->is_dark(last + 1, i));
  }
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_TRUE(code->is_dark(kQuietZone + i, kQuietZone));
    EXPECT_TRUE(code->is_dark(last - i, kQuietZone));
    EXPECT_TRUE(code->is_dark(kQuietZone, last - i));
  }
}

}  // namespace
}  // namespace anubis::qr

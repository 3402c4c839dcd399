#include "anubis-cli/frames.h"

#include <gtest/gtest.h>

namespace anubis::cli {
namespace {

TEST(Frames, ComeBackAsTheyWent) {
  FrameReader reader;
  reader.feed(frame("one") + frame("") + frame(std::string(70'000, 'x')));
  EXPECT_EQ(reader.next(), "one");
  EXPECT_EQ(reader.next(), "");
  EXPECT_EQ(reader.next(), std::string(70'000, 'x'));
  EXPECT_EQ(reader.next(), std::nullopt);
  EXPECT_FALSE(reader.pending());
}

TEST(Frames, LengthIsBigEndian) { EXPECT_EQ(frame(std::string(258, 'x')).substr(0, 4), std::string("\0\0\1\2", 4)); }

TEST(Frames, MayArriveByteByByte) {
  FrameReader reader;
  const std::string bytes = frame("jacinth") + frame("xena");
  std::string seen;
  for (const char byte : bytes) {
    reader.feed({&byte, 1});
    if (const auto body = reader.next()) seen.append(*body).append("|");
  }
  EXPECT_EQ(seen, "jacinth|xena|");
}

TEST(Frames, AnUnfinishedOneIsPending) {
  FrameReader reader;
  reader.feed(frame("jacinth").substr(0, 8));
  EXPECT_EQ(reader.next(), std::nullopt);
  EXPECT_TRUE(reader.pending());
  EXPECT_FALSE(reader.oversized());
}

TEST(Frames, AnOversizedOneIsSeenByItsLengthAlone) {
  FrameReader at_limit;
  at_limit.feed(std::string("\x01\0\0\0", 4));
  EXPECT_FALSE(at_limit.oversized());
  FrameReader above;
  above.feed(std::string("\x01\0\0\x01", 4));
  EXPECT_TRUE(above.oversized());
  EXPECT_EQ(above.next(), std::nullopt);
}

}  // namespace
}  // namespace anubis::cli

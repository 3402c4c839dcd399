// The page for phones: its section, and the keys of those who may use it.
#include <string>
#include <string_view>

#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kSelen =
    "[[peer]]\nname = \"selen\"\npublic_key = \"KEY1\"\nplain = true\ncompanion_key = \"KEY2\"\n";

TEST_F(ConfigTest, NoPageIsServedUnlessItIsAskedFor) {
  const auto without = load_xena_and("");
  ASSERT_TRUE(without) << without.error().message;
  EXPECT_FALSE(without->companion.enabled);
  const auto with = load_xena_and("[companion]\nenabled = true\nport = 8080\n" + std::string(kSelen));
  ASSERT_TRUE(with) << with.error().message;
  EXPECT_TRUE(with->companion.enabled);
  EXPECT_EQ(with->companion.port, 8080);
  ASSERT_TRUE(with->peers.at(0).companion_key);
  EXPECT_NE(with->peers.at(0).companion_key->bytes, with->peers.at(0).public_key.bytes);
  EXPECT_THAT(with->warnings, IsEmpty());
}

TEST_F(ConfigTest, ACompanionWithoutAPageIsWarnedOf) {
  const auto loaded = load_xena_and(kSelen);
  ASSERT_TRUE(loaded) << loaded.error().message;
  ASSERT_EQ(loaded->warnings.size(), 1U);
  EXPECT_THAT(loaded->warnings[0], HasSubstr("peer[1].companion_key: has no effect"));
}

TEST_F(ConfigTest, F19_ACompanionsKeyIsNobodyElses) {
  const std::string other = "[[peer]]\nname = \"beryl\"\nplain = true\npublic_key = ";
  EXPECT_THAT(error_of_xena_and(std::string(kSelen) + other + "\"KEY3\"\ncompanion_key = \"KEY2\"\n"),
              HasSubstr("peer[2].companion_key: is the same key as peer[1].companion_key"));
  EXPECT_THAT(error_of_xena_and(std::string(kSelen) + other + "\"KEY2\"\n"),
              HasSubstr("peer[2].public_key: is the same key as peer[1].companion_key"));
  EXPECT_THAT(error_of_xena_and(std::string(kSelen) + other + "\"KEY3\"\ncompanion_key = \"KEY3\"\n"),
              HasSubstr("peer[2].companion_key: is the same key as peer[2].public_key"));
}

TEST_F(ConfigTest, ThePagesPortIsAPort) {
  EXPECT_THAT(error_of_xena_and("[companion]\nport = 65536\n"), HasSubstr("companion.port"));
  EXPECT_THAT(error_of_xena_and("[companion]\nenable = true\n"),
              HasSubstr("companion.enable: is not known; did you mean"));
}

}  // namespace
}  // namespace anubis::config

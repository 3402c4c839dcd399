#include <string>

#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kUuid = "5f1c0bd0-2a3c-4d9e-8f10-0123456789ab";

TEST_F(ConfigTest, WithoutRoamingNowhereIsHomeAndNoPeerIsAutomatic) {
  const auto loaded =
      load_xena_and("[[peer]]\nname = \"jacinth\"\npublic_key = \"KEY1\"\nside_public_key = \"KEY2\"\n");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT(loaded->roaming.home, IsEmpty());
  EXPECT_EQ(loaded->roaming.hold_down, 5s);
  EXPECT_FALSE(loaded->peers.at(0).is_automatic);
}

TEST_F(ConfigTest, RoamingSaysWhatHomeIs) {
  const auto loaded =
      load_xena_and("[roaming]\nhome = [\"MyHomeWifi\", \"" + std::string(kUuid) +
                    "\", \"52:54:00:12:34:56\", \"192.168.7.0/24\", \"2001:db8:7::/64\", \"MyHomeWifi\"]\n"
                    "hold_down = \"1m\"\n"
                    "[[peer]]\nname = \"jacinth\"\npublic_key = \"KEY1\"\nside_public_key = \"KEY2\"\n"
                    "auto = true\n");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT(loaded->roaming.home,
              ElementsAre(roaming::ConnectionName{"MyHomeWifi"}, roaming::ConnectionName{kUuid},
                          *model::MacAddress::parse("52:54:00:12:34:56"), *model::IpPrefix::parse("192.168.7.0/24"),
                          *model::IpPrefix::parse("2001:db8:7::/64")));
  EXPECT_EQ(loaded->roaming.hold_down, 60s);
  EXPECT_TRUE(loaded->peers.at(0).is_automatic);
  EXPECT_THAT(loaded->warnings, IsEmpty());
}

TEST_F(ConfigTest, ARangeWithHostBitsIsCutWithAWarning) {
  const auto loaded = load_xena_and("[roaming]\nhome = [\"192.168.7.20/24\"]\n");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT(loaded->roaming.home, ElementsAre(*model::IpPrefix::parse("192.168.7.0/24")));
  EXPECT_THAT(loaded->warnings, ElementsAre(HasSubstr("anubis.toml:10:9: key roaming.home: 192.168.7.20/24 means "
                                                      "192.168.7.0/24; write that")));
}

TEST_F(ConfigTest, KeysOfRoamingAreChecked) {
  const std::pair<std::string, std::string> cases[] = {
      {"home = \"MyHomeWifi\"", "8: key roaming.home: is a string, must be an array of strings"},
      {"home = [\"MyHomeWifi\", 7]", "23: key roaming.home: is an integer, must be a string"},
      {"home = [\"52:54:00:12:34\"]",
       "9: key roaming.home: \"52:54:00:12:34\" is neither a MAC address (52:54:00:12:34:56) nor a range "
       "(192.168.7.0/24), and looks like no connection's name"},
      {"home = [\"0.0.0.0/0\"]", "9: key roaming.home: 0.0.0.0/0 is everywhere; write the range of the home network"},
      {"hold_down = 5", "13: key roaming.hold_down: is an integer, must be a string"},
      {"hold_down = \"2h\"",
       "13: key roaming.hold_down: \"2h\" is too long; a place is taken for another after 1h at most"},
      {"holddown = \"5s\"", "1: key roaming.holddown: is not known; did you mean hold_down?"},
  };
  for (const auto& [line, error] : cases) {
    EXPECT_EQ(error_of_xena_and("[roaming]\n" + line), "anubis.toml:10:" + error) << line;
  }
  EXPECT_THAT(error_of_xena_and("[[peer]]\nname = \"jacinth\"\npublic_key = \"KEY1\"\nside_public_key = \"KEY2\"\n"
                                "auto = \"yes\"\n"),
              "anubis.toml:13:8: key peer[1].auto: is a string, must be true or false");
}

}  // namespace
}  // namespace anubis::config

#include <string>

#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kJacinth = "[[peer]]\nname = \"jacinth\"\npublic_key = \"KEY1\"\nside_public_key = \"KEY2\"\n";

TEST_F(ConfigTest, WithoutFirewallThereIsOneAndItMasqueradesNothing) {
  const auto loaded = load_xena_and(kJacinth);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_TRUE(loaded->firewall.enabled);
  EXPECT_THAT(loaded->firewall.masquerade, IsEmpty());
  EXPECT_THAT(loaded->firewall.snat_to, IsEmpty());
  EXPECT_FALSE(loaded->peers.at(0).never_clear);
}

TEST_F(ConfigTest, FirewallSaysWhatGoesOnInTheNameOfThisHost) {
  const auto loaded =
      load_xena_and("[firewall]\nmasquerade = [\"10.44.0.0/24\", \"fd44::/64\"]\nsnat_to = [\"192.0.2.7\"]\n");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT(loaded->firewall.masquerade,
              ElementsAre(*model::IpPrefix::parse("10.44.0.0/24"), *model::IpPrefix::parse("fd44::/64")));
  EXPECT_THAT(loaded->firewall.snat_to, ElementsAre(*model::IpAddress::parse("192.0.2.7")));
}

TEST_F(ConfigTest, FirewallCanBeLeftToOthers) {
  const auto loaded = load_xena_and("[firewall]\nenabled = false\n");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_FALSE(loaded->firewall.enabled);
}

TEST_F(ConfigTest, KeysOfFirewallAreChecked) {
  const std::pair<std::string, std::string> cases[] = {
      {"enabled = \"no\"", "10:11: key firewall.enabled: is a string"},
      {"masquerade = [\"10.44.0.0/33\"]",
       "10:15: key firewall.masquerade: \"10.44.0.0/33\" has no valid prefix length"},
      {"masquerade = [\"fd77:1::/64\"]", "10:15: key firewall.masquerade: fd77:1::/64 overlaps the side prefix"},
      {"snat_to = [\"192.0.2.7\"]", "10:12: key firewall.snat_to: 192.0.2.7 has nothing to stand for"},
      {"masquerade = [\"10.44.0.0/24\"]\nsnat_to = [\"0.0.0.0\"]", "11:12: key firewall.snat_to: 0.0.0.0 cannot be"},
      {"masquerade = [\"10.44.0.0/24\"]\nsnat_to = [\"192.0.2.7\", \"192.0.2.8\"]",
       "11:25: key firewall.snat_to: 192.0.2.8 is the second address of its family"},
      {"enable = true", "10:1: key firewall.enable: is not known; did you mean enabled?"},
  };
  for (const auto& [text, error] : cases) {
    EXPECT_THAT(error_of_xena_and("[firewall]\n" + text + "\n"), HasSubstr(error)) << text;
  }
}

TEST_F(ConfigTest, F37NeverClearWantsTheFirewall) {
  EXPECT_THAT(error_of_xena_and("[firewall]\nenabled = false\n" + std::string(kJacinth) + "never_clear = true\n"),
              HasSubstr("15:15: key peer[1].never_clear: needs the firewall, which enabled = false"));
  const auto loaded = load_xena_and(std::string(kJacinth) + "never_clear = true\n");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_TRUE(loaded->peers.at(0).never_clear);
  EXPECT_THAT(loaded->warnings, IsEmpty());
}

TEST_F(ConfigTest, F37AKillSwitchWhosePeerHasANameIsWarnedOf) {
  const auto loaded = load_xena_and(std::string(kJacinth) +
                                    "never_clear = true\nallowed_ips = [\"0.0.0.0/0\"]\n"
                                    "endpoint = \"jacinth.example.net\"\n");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT(loaded->warnings, ElementsAre(HasSubstr("nobody can be asked for the address of its endpoint")));
}

TEST_F(ConfigTest, BothPortsAreFoundUnderFurtherNumbers) {
  const std::string hosts = R"(
    [production]
    private_key_file = "xena.key"
    [side]
    private_key_file = "xena-side.key"
  )";
  const auto loaded = load_text("also_listen = [53, 443]" + hosts);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT(loaded->also_listen, testing::ElementsAre(53, 443));
  EXPECT_EQ(error_of("also_listen = [53, 4298]" + hosts),
            "anubis.toml:1:20: key also_listen: 4298 is a port of ours already; take it out");
  EXPECT_EQ(
      error_of("also_listen = [53]" + hosts + "[firewall]\nenabled = false\n"),
      "anubis.toml:1:16: key also_listen: is done by rules of the firewall, which firewall.enabled = false switches "
      "off; take out one of the two");
}

}  // namespace
}  // namespace anubis::config

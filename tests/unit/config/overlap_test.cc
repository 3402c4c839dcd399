// Allowed IPs: what two peers may share, and what no peer may have.
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Lines 9 to 14 and 15 to 20: two peers with these allowed IPs and, on the lines 14 and 20, something more.
std::string two_peers(std::string_view allowed_ips, std::string_view other_allowed_ips, std::string_view more = "",
                      std::string_view other_more = "") {
  return std::string("[[peer]]\nname = \"jacinth\"\npublic_key = \"KEY1\"\nside_public_key = \"KEY2\"\nallowed_ips = [")
      .append(allowed_ips)
      .append("]\n")
      .append(more)
      .append("\n[[peer]]\nname = \"amber\"\npublic_key = \"KEY3\"\nside_public_key = \"KEY4\"\nallowed_ips = [")
      .append(other_allowed_ips)
      .append("]\n")
      .append(other_more);
}

std::string with_main_table(std::string_view peers) {
  return std::string(R"(name = "xena"
[production]
private_key_file = "xena.key"
table = "main"

[side]
private_key_file = "xena-side.key"

)")
      .append(peers);
}

TEST_F(ConfigTest, F32_EqualAllowedIpsOfTwoPeersAreRefusedWithBothPlaces) {
  for (const std::string range : {"10.44.0.0/24", "0.0.0.0/0", "::/0", "fd44::1/128"}) {
    EXPECT_EQ(
        error_of_xena_and(two_peers("\"10.9.0.0/16\", \"" + range + "\"", "\"" + range + "\"")),
        "anubis.toml:19:16: key peer[2].allowed_ips: " + range +
            " belongs to peer[1].allowed_ips (\"jacinth\") at anubis.toml:13 already; WireGuard would take it away "
            "from there: take one out, or put both peers into one group if only one is to be up at a time");
  }
}

TEST_F(ConfigTest, F32_HostBitsDoNotHideAnOverlap) {
  EXPECT_THAT(error_of_xena_and(two_peers("\"10.44.0.1/24\"", "\"10.44.0.2/24\"")),
              StartsWith("anubis.toml:19:16: key peer[2].allowed_ips: 10.44.0.0/24 belongs to peer[1].allowed_ips"));
}

TEST_F(ConfigTest, F32_NestedDoesNotAllowEqualAllowedIps) {
  EXPECT_THAT(error_of_xena_and(two_peers("\"10.44.0.0/24\"", "\"10.44.0.0/24\"", "nested = true", "nested = true")),
              HasSubstr("belongs to peer[1].allowed_ips"));
}

TEST_F(ConfigTest, F32_PeersOfOneGroupMayShareAllowedIps) {
  EXPECT_EQ(
      error_of_xena_and(two_peers("\"0.0.0.0/0\"", "\"0.0.0.0/0\"", "group = \"gateways\"", "group = \"gateways\"")),
      "");
  EXPECT_EQ(
      error_of_xena_and(two_peers("\"10.0.0.0/8\"", "\"10.1.0.0/16\"", "group = \"gateways\"", "group = \"gateways\"")),
      "");
  EXPECT_THAT(
      error_of_xena_and(two_peers("\"0.0.0.0/0\"", "\"0.0.0.0/0\"", "group = \"gateways\"", "group = \"other\"")),
      HasSubstr("belongs to peer[1].allowed_ips"));
}

TEST_F(ConfigTest, F32_OneOutsideAGroupThatSharesAllowedIpsIsFound) {
  std::string text;
  for (const std::string number : {"1", "2", "3"}) {
    text += "[[peer]]\nname = \"gate" + number + "\"\npublic_key = \"KEY1" + number + "\"\nside_public_key = \"KEY2" +
            number + "\"\nallowed_ips = [\"0.0.0.0/0\"]\n" + (number == "3" ? "" : "group = \"gateways\"\n");
  }
  EXPECT_THAT(error_of_xena_and(text), StartsWith("anubis.toml:25:16: key peer[3].allowed_ips: 0.0.0.0/0 belongs to "
                                                  "peer[1].allowed_ips (\"gate1\") at anubis.toml:13 already"));
}

TEST_F(ConfigTest, TheSameRangeTwiceInOnePeerIsRefused) {
  EXPECT_EQ(error_of_xena_and(two_peers("\"10.0.0.0/8\", \"10.0.0.0/8\"", "")),
            "anubis.toml:13:30: key peer[1].allowed_ips: 10.0.0.0/8 stands here twice; take one out");
}

TEST_F(ConfigTest, F33_ALongerPrefixInsideAnotherPeersIsAllowedOnlyOnPurpose) {
  const std::string error =
      ": key peer[2].allowed_ips: 10.44.7.0/24 lies inside 10.44.0.0/16 of peer[1].allowed_ips (\"jacinth\") at "
      "anubis.toml:13; if this peer is to get that part of it, say so with nested = true in this [[peer]]";
  EXPECT_EQ(error_of_xena_and(two_peers("\"10.44.0.0/16\"", "\"10.44.7.0/24\"")), "anubis.toml:19:16" + error);
  // It is the peer with the longer prefix that says it.
  EXPECT_EQ(error_of_xena_and(two_peers("\"10.44.0.0/16\"", "\"10.44.7.0/24\"", "nested = true")),
            "anubis.toml:19:16" + error);
  EXPECT_EQ(error_of_xena_and(two_peers("\"10.44.0.0/16\"", "\"10.44.7.0/24\"", "", "nested = true")), "");
}

TEST_F(ConfigTest, F33_TheOrderOfThePeersDoesNotMatter) {
  EXPECT_THAT(error_of_xena_and(two_peers("\"10.44.7.0/24\"", "\"10.44.0.0/16\"")),
              StartsWith("anubis.toml:13:16: key peer[1].allowed_ips: 10.44.7.0/24 lies inside 10.44.0.0/16 of "
                         "peer[2].allowed_ips (\"amber\") at anubis.toml:19; "));
}

TEST_F(ConfigTest, F33_ANestedPrefixIsFoundBehindOthersThatDoNotContainIt) {
  EXPECT_THAT(
      error_of_xena_and(two_peers("\"10.0.0.0/8\"", "\"10.0.0.0/32\", \"10.1.0.0/16\", \"10.2.0.0/16\"")),
      testing::AllOf(HasSubstr("10.0.0.0/32 lies inside 10.0.0.0/8"), HasSubstr("10.1.0.0/16 lies inside 10.0.0.0/8"),
                     HasSubstr("10.2.0.0/16 lies inside 10.0.0.0/8")));
  // Through a nearer range of its own.
  EXPECT_THAT(error_of_xena_and(two_peers("\"10.0.0.0/8\"", "\"10.1.0.0/16\", \"10.1.1.0/24\"")),
              HasSubstr("10.1.1.0/24 lies inside 10.0.0.0/8"));
}

TEST_F(ConfigTest, F33_RangesInsideADefaultRouteAreAlwaysOnPurpose) {
  EXPECT_EQ(error_of_xena_and(two_peers("\"0.0.0.0/0\", \"::/0\"", "\"10.44.0.0/24\", \"fd44::/64\"")), "");
}

TEST_F(ConfigTest, F33_APeersOwnRangesMayNest) {
  EXPECT_EQ(error_of_xena_and(two_peers("\"10.0.0.0/8\", \"10.1.0.0/16\", \"0.0.0.0/0\"", "")), "");
}

TEST_F(ConfigTest, NeighboursDoNotOverlap) {
  EXPECT_EQ(
      error_of_xena_and(two_peers("\"10.44.0.0/25\", \"fd44::/65\"", "\"10.44.0.128/25\", \"fd44:0:0:0:8000::/65\"")),
      "");
  // Behind ranges that lie in each other.
  EXPECT_EQ(error_of_xena_and(two_peers("\"10.0.0.0/8\", \"10.1.0.0/16\", \"10.1.1.0/24\"", "\"11.0.0.0/8\"")), "");
  // The bytes are the same, the families are not.
  EXPECT_EQ(error_of_xena_and(two_peers("\"32.1.0.0/16\"", "\"2001::/16\"")), "");
}

TEST_F(ConfigTest, F34_WhatCannotBeBehindAPeerIsRefused) {
  const struct {
    std::string_view range;
    std::string_view error;
  } cases[] = {
      {"127.0.0.0/8", "127.0.0.0/8 is loopback and never leaves a host; take it out"},
      {"127.0.0.53", "127.0.0.53/32 is loopback and never leaves a host; take it out"},
      {"::1", "::1/128 is loopback and never leaves a host; take it out"},
      {"0.0.0.0", "0.0.0.0/32 is no address of anybody; a default route is written 0.0.0.0/0"},
      {"::", "::/128 is no address of anybody; a default route is written ::/0"},
      {"fd77::/16",
       "fd77::/16 overlaps the side prefix fd77::/16, which is for Anubis alone; take it out or set side.prefix to "
       "another, on every host"},
      {"fd77::1",
       "fd77::1/128 overlaps the side prefix fd77::/16, which is for Anubis alone; take it out or set side.prefix to "
       "another, on every host"},
      {"fd00::/8",
       "fd00::/8 overlaps the side prefix fd77::/16, which is for Anubis alone; take it out or set side.prefix to "
       "another, on every host"},
  };
  for (const auto& [range, error] : cases) {
    EXPECT_EQ(error_of_xena_and(two_peers("\"" + std::string(range) + "\"", "")),
              "anubis.toml:13:16: key peer[1].allowed_ips: " + std::string(error));
  }
}

TEST_F(ConfigTest, F34_WhatRoutingProtocolsAndFullTunnelsNeedIsAllowed) {
  for (const std::string range :
       {"224.0.0.0/4", "ff02::/16", "fe80::/10", "169.254.0.0/16", "0.0.0.0/1", "128.0.0.0/1", "::/0"}) {
    EXPECT_EQ(error_of_xena_and(two_peers("\"" + range + "\"", "")), "") << range;
  }
}

TEST_F(ConfigTest, F34_SideAddressesOutsideTheSidePrefixAreLeftAlone) {
  const std::string text = R"(name = "xena"
[production]
private_key_file = "xena.key"
[side]
private_key_file = "xena-side.key"
address = "10.77.0.7"
[[peer]]
name = "jacinth"
public_key = "KEY1"
side_public_key = "KEY2"
side_address = "10.77.0.1"
allowed_ips = ["10.77.0.0/24", "0.0.0.0/0"]
)";
  EXPECT_EQ(
      error_of(text),
      "anubis.toml:6:11: key side.address: 10.77.0.7 lies inside 10.77.0.0/24 of peer[1].allowed_ips (\"jacinth\") "
      "at anubis.toml:12; side addresses are for Anubis alone: use a range of their own\n"
      "anubis.toml:11:16: key peer[1].side_address: 10.77.0.1 lies inside 10.77.0.0/24 of peer[1].allowed_ips "
      "(\"jacinth\") at anubis.toml:12; side addresses are for Anubis alone: use a range of their own");
}

TEST_F(ConfigTest, F38_AnEndpointInsideAllowedIpsIsRefusedWithPlainRoutes) {
  const std::string reason =
      "and with production.table = \"main\" the packets that bear the tunnel would go into the tunnel; give "
      "production.table a number of its own";
  const std::string own = two_peers("\"192.0.2.0/24\"", "", "endpoint = \"192.0.2.1\"");
  const std::string error =
      "192.0.2.1 lies inside 192.0.2.0/24 of peer[1].allowed_ips (\"jacinth\") at anubis.toml:13, ";
  EXPECT_EQ(error_of(with_main_table(own)), "anubis.toml:14:12: key peer[1].endpoint: " + error + reason);
  EXPECT_EQ(error_of_xena_and(own), "");

  const std::string another = two_peers("\"192.0.2.0/24\"", "", "", "side_endpoint = \"192.0.2.1:7\"");
  EXPECT_EQ(error_of(with_main_table(another)), "anubis.toml:20:17: key peer[2].side_endpoint: " + error + reason);
  EXPECT_EQ(error_of_xena_and(another), "");
}

TEST_F(ConfigTest, F38_ADefaultRouteNeedsATableOfItsOwn) {
  EXPECT_EQ(error_of(with_main_table(two_peers("\"0.0.0.0/0\"", ""))),
            "anubis.toml:13:16: key peer[1].allowed_ips: 0.0.0.0/0 cannot go into the main table: it would take the "
            "packets that bear the tunnel into the tunnel; give production.table a number of its own");
}

TEST_F(ConfigTest, AHundredThousandPeersAreCheckedInSeconds) {
  std::string text;
  constexpr unsigned kPeers = 100'000;
  for (unsigned i = 0; i < kPeers; ++i) {
    // Any 32 bytes that are no point of small order do for a public key.
    crypto::PublicKey key;
    key.bytes = {
        1, 2, 3, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
    crypto::PublicKey side_key = key;
    side_key.bytes[0] = 7;
    text += "[[peer]]\nname = \"p" + std::to_string(i) + "\"\npublic_key = \"" + key.to_base64() +
            "\"\nside_public_key = \"" + side_key.to_base64() + "\"\nallowed_ips = [\"10." + std::to_string(i >> 16) +
            "." + std::to_string(i >> 8 & 0xff) + "." + std::to_string(i & 0xff) + "/32\"]\n";
  }
  text +=
      "[[peer]]\nname = \"last\"\npublic_key = \"KEY1\"\nside_public_key = \"KEY2\"\nallowed_ips = [\"10.0.0.0/32\"]\n";
  const std::clock_t begin = std::clock();  // of the processor: a busy machine does not count
  const std::string error = error_of_xena_and(text);
  const auto seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  EXPECT_THAT(error, HasSubstr("key peer[100001].allowed_ips: 10.0.0.0/32 belongs to peer[1].allowed_ips (\"p0\")"));
  // It takes two. Comparing each with each would take minutes, sanitizers take ten times as long.
  EXPECT_LT(seconds, 60);
}

}  // namespace
}  // namespace anubis::config

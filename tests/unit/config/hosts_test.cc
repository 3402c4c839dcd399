// Names and addresses of hosts: whose they are, and what nobody can have.
#include <string>
#include <string_view>

#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

using model::IpAddress;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// Six lines, then more.
std::string peer(std::string_view name, unsigned key, std::string_view allowed_ips, std::string_view more = "") {
  const auto number = [](unsigned of) { return "KEY" + std::to_string(of); };
  return std::string("[[peer]]\nname = \"")
      .append(name)
      .append("\"\npublic_key = \"")
      .append(number(key))
      .append("\"\nside_public_key = \"")
      .append(number(key + 1))
      .append("\"\nallowed_ips = [")
      .append(allowed_ips)
      .append("]\n")
      .append(more)
      .append("\n");
}

IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }

TEST_F(ConfigTest, HostsHaveTheAddressesThatTheyAreGiven) {
  const auto config = load_text(
      "name = \"xena\"\nlan_addresses = [\"192.168.7.2\"]\n"
      "[production]\nprivate_key_file = \"xena.key\"\naddresses = [\"10.44.0.7/24\"]\n"
      "[side]\nprivate_key_file = \"xena-side.key\"\n" +
      peer("jacinth", 1, "\"10.44.0.0/24\"",
           "addresses = [\"10.44.0.1\"]\nlan_addresses = [\"192.168.7.1\", \"2001:db8::1\"]") +
      "[[host]]\nname = \"printer\"\nlan_addresses = [\"192.168.7.9\"]\n");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->hosts.own, (model::Host{"xena", {address("10.44.0.7")}, {address("192.168.7.2")}}));
  EXPECT_THAT(config->hosts.others, ElementsAre(model::Host{"printer", {}, {address("192.168.7.9")}}));
  EXPECT_THAT(config->peers[0].addresses, ElementsAre(address("10.44.0.1")));
  EXPECT_THAT(config->peers[0].lan_addresses, ElementsAre(address("192.168.7.1"), address("2001:db8::1")));
  EXPECT_THAT(config->warnings, IsEmpty());
}

TEST_F(ConfigTest, FullLengthAllowedIpsAreAPeersAddressesUnlessItSaysWhichAre) {
  const auto config = load_xena_and(
      peer("jacinth", 1, "\"10.44.0.1/32\", \"10.45.0.0/24\", \"fd44::1/128\", \"ff02::5/128\", \"10.44.0.3/32\"") +
      peer("amber", 3, "\"10.44.0.2/32\"", "addresses = []") + peer("surya", 5, "", "addresses = [\"10.44.0.3\"]"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->peers[0].addresses, ElementsAre(address("10.44.0.1"), address("fd44::1")));
  EXPECT_THAT(config->peers[1].addresses, IsEmpty());
}

TEST_F(ConfigTest, WhatServersOfAGroupStandInForIsNeithersAddress) {
  const auto config = load_xena_and(peer("jacinth", 1, "\"10.44.0.1/32\", \"10.44.0.9/32\"", "group = \"gateways\"") +
                                    peer("surya", 3, "\"10.44.0.2/32\", \"10.44.0.9/32\"", "group = \"gateways\""));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->peers[0].addresses, ElementsAre(address("10.44.0.1")));
  EXPECT_THAT(config->peers[1].addresses, ElementsAre(address("10.44.0.2")));
}

TEST_F(ConfigTest, AnAddressHasOneHost) {
  EXPECT_EQ(error_of_xena_and("[[host]]\nname = \"printer\"\nlan_addresses = [\"192.168.7.9\"]\n[[host]]\nname = "
                              "\"scanner\"\naddresses = [\"192.168.7.9\"]\n"),
            "anubis.toml:14:14: key host[2].addresses: 192.168.7.9 is an address of host[1].lan_addresses at "
            "anubis.toml:11 already; give it to one of them");
  EXPECT_THAT(
      error_of("name = \"xena\"\n[production]\nprivate_key_file = \"xena.key\"\naddresses = [\"10.44.0.7/24\"]\n"
               "[side]\nprivate_key_file = \"xena-side.key\"\n"
               "[[host]]\nname = \"printer\"\naddresses = [\"10.44.0.7\"]\n"),
      HasSubstr("10.44.0.7 is an address of production.addresses at anubis.toml:4 already"));
}

TEST_F(ConfigTest, ANameHasOneHost) {
  EXPECT_EQ(error_of_xena_and(peer("jacinth", 1, "") + "[[host]]\nname = \"Jacinth\"\naddresses = []\n"),
            "anubis.toml:16:8: key host[1].name: \"Jacinth\" is the name of another host, at anubis.toml:10, already; "
            "give each host its own");
  EXPECT_THAT(error_of_xena_and("[[host]]\nname = \"xena\"\naddresses = []\n"),
              HasSubstr("\"xena\" is the name of another host, at anubis.toml:1, already"));
}

TEST_F(ConfigTest, ANameIsNobodysWireGuardName) {
  EXPECT_EQ(error_of_xena_and(peer("selen", 1, "") + "[[host]]\nname = \"selenWG\"\naddresses = []\n"),
            "anubis.toml:16:8: key host[1].name: \"selenWG\" would name two hosts, \"selen\" being called so through "
            "WireGuard, too (see anubis.toml:10); choose another");
  EXPECT_EQ(error_of_xena_and("[[host]]\nname = \"wg\"\naddresses = []\n"), "");
}

TEST_F(ConfigTest, HostsHaveAddressesThatASingleHostCanHave) {
  const auto error_for = [this](std::string_view text) {
    return error_of_xena_and("[[host]]\nname = \"printer\"\nlan_addresses = [\"" + std::string(text) + "\"]\n");
  };
  for (const char* text : {"0.0.0.0", "::", "127.0.0.1", "::1", "224.0.0.5", "ff02::1", "255.255.255.255"}) {
    EXPECT_THAT(error_for(text), HasSubstr("is the address of no single host")) << text;
  }
  for (const char* text : {"169.254.1.1", "fe80::1"}) {
    EXPECT_THAT(error_for(text), HasSubstr("means nothing beyond its link")) << text;
  }
  EXPECT_THAT(error_for("10.44.0.0/24"), HasSubstr("has a length; an address of a host stands alone: 10.44.0.0"));
  EXPECT_THAT(error_for("printer.lan"), HasSubstr("is not an IPv4 or IPv6 address"));
  EXPECT_THAT(error_for("fd77::1"), HasSubstr("lies in the side prefix fd77::/16"));
}

TEST_F(ConfigTest, AHostIsSomewhere) {
  EXPECT_THAT(error_of_xena_and("[[host]]\nname = \"printer\"\n"),
              StartsWith("anubis.toml:9:1: key host[1].lan_addresses: is missing"));
  EXPECT_THAT(error_of_xena_and("[[host]]\nlan_addresses = [\"192.168.7.9\"]\n"),
              HasSubstr("key host[1].name: is missing"));
}

TEST_F(ConfigTest, AnAddressOutsideThePeersAllowedIpsIsWarnedOf) {
  const auto config = load_xena_and(peer("jacinth", 1, "\"10.44.0.0/24\"", "addresses = [\"10.45.0.1\"]"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->warnings,
              ElementsAre(HasSubstr("key peer[1].addresses: 10.45.0.1 lies in none of its allowed_ips")));
}

TEST_F(ConfigTest, HostsMayStandInConfD) {
  folder_.write("conf.d/a.toml", "[[host]]\nname = \"printer\"\nlan_addresses = [\"192.168.7.9\"]\n");
  const auto config = load_xena_and("");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->hosts.others.size(), 1U);
}

}  // namespace
}  // namespace anubis::config

// Names, keys and side addresses are everybody's own.
#include <string>
#include <string_view>

#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

using testing::HasSubstr;

// Two peers, of lines 9 to 12 and 13 to 16, with these keys.
std::string two_peers(std::string_view key, std::string_view side_key, std::string_view other_key,
                      std::string_view other_side_key) {
  return std::string("[[peer]]\nname = \"jacinth\"\npublic_key = \"")
      .append(key)
      .append("\"\nside_public_key = \"")
      .append(side_key)
      .append("\"\n[[peer]]\nname = \"amber\"\npublic_key = \"")
      .append(other_key)
      .append("\"\nside_public_key = \"")
      .append(other_side_key)
      .append("\"\n");
}

TEST_F(ConfigTest, TwoPeersWithFourKeysAreFine) {
  EXPECT_EQ(error_of_xena_and(two_peers("KEY1", "KEY2", "KEY3", "KEY4")), "");
}

TEST_F(ConfigTest, F19_EqualKeysAnywhereAreRefusedWithBothPlaces) {
  constexpr std::string_view kOwn = "a host cannot be its own peer, so put the peer's key here";
  constexpr std::string_view kOther = "every interface of every host needs a key of its own";
  const struct {
    std::string text;
    std::string error;
    std::string_view what_to_do;
  } cases[] = {
      {two_peers("KEY1", "KEY1", "KEY3", "KEY4"),
       "12:19: key peer[1].side_public_key: is the same key as peer[1].public_key at anubis.toml:11; ", kOther},
      {two_peers("KEY1", "KEY2", "KEY1", "KEY4"),
       "15:14: key peer[2].public_key: is the same key as peer[1].public_key at anubis.toml:11; ", kOther},
      {two_peers("KEY1", "KEY2", "KEY3", "KEY2"),
       "16:19: key peer[2].side_public_key: is the same key as peer[1].side_public_key at anubis.toml:12; ", kOther},
      {two_peers("KEY1", "KEY2", "KEY2", "KEY4"),
       "15:14: key peer[2].public_key: is the same key as peer[1].side_public_key at anubis.toml:12; ", kOther},
      {two_peers("KEY1", "KEY2", "KEY3", "KEY1"),
       "16:19: key peer[2].side_public_key: is the same key as peer[1].public_key at anubis.toml:11; ", kOther},
      {two_peers("KEY100", "KEY2", "KEY3", "KEY4"),
       "11:14: key peer[1].public_key: is the same key as production.private_key_file at anubis.toml:4; ", kOwn},
      {two_peers("KEY101", "KEY2", "KEY3", "KEY4"),
       "11:14: key peer[1].public_key: is the same key as side.private_key_file at anubis.toml:7; ", kOwn},
      {two_peers("KEY1", "KEY100", "KEY3", "KEY4"),
       "12:19: key peer[1].side_public_key: is the same key as production.private_key_file at anubis.toml:4; ", kOwn},
  };
  for (const auto& [text, error, what_to_do] : cases) {
    EXPECT_EQ(error_of_xena_and(text), "anubis.toml:" + error + std::string(what_to_do));
  }
  EXPECT_THAT(error_of_xena_and(two_peers("KEY1", "KEY101", "KEY3", "KEY4")),
              HasSubstr("anubis.toml:12:19: key peer[1].side_public_key: is the same key as side.private_key_file at "
                        "anubis.toml:7; a host cannot be its own peer, so put the peer's key here"));
}

TEST_F(ConfigTest, F19_OwnSideKeyEqualToOwnProductionKeyIsRefused) {
  folder_.write("xena-side.key", private_key(kOwnProduction));
  EXPECT_EQ(error_of_xena_and(""),
            "anubis.toml:7:20: key side.private_key_file: is the same key as production.private_key_file at "
            "anubis.toml:4; every interface of every host needs a key of its own");
}

TEST_F(ConfigTest, F15_KeysOfSmallOrderAreRefused) {
  // The points of small order of Curve25519 (RFC 7748, section 7), as WireGuard writes them.
  for (const std::string key : {
           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",  // 0
           "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",  // 1
           "4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=",  // order 8
           "X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=",  // order 8
           "7P///////////////////////////////////////38=",  // p - 1
           "7f///////////////////////////////////////38=",  // p
           "7v///////////////////////////////////////38=",  // p + 1
       }) {
    const std::string error = error_of_xena_and(two_peers(key, "KEY2", "KEY3", "KEY4"));
    EXPECT_EQ(error,
              "anubis.toml:11:14: key peer[1].public_key: is not a usable public key: it is a point of small order, so "
              "that its secrets are known to everybody")
        << key;
    EXPECT_THAT(error_of_xena_and(two_peers("KEY1", key, "KEY3", "KEY4")),
                HasSubstr("anubis.toml:12:19: key peer[1].side_public_key: is not a usable public key"))
        << key;
  }
}

TEST_F(ConfigTest, EqualNamesAreRefusedWithBothPlaces) {
  EXPECT_EQ(
      error_of_xena_and(R"([[peer]]
name = "jacinth"
public_key = "KEY1"
side_public_key = "KEY2"

[[peer]]
name = "jacinth"
public_key = "KEY3"
side_public_key = "KEY4"
)"),
      "anubis.toml:15:8: key peer[2].name: \"jacinth\" is the name of another peer already, at anubis.toml:10; give "
      "each its own");
}

TEST_F(ConfigTest, EqualSideAddressesAreRefusedWithBothPlaces) {
  EXPECT_EQ(
      error_of(R"(name = "xena"
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
[[peer]]
name = "amber"
public_key = "KEY3"
side_public_key = "KEY4"
side_address = "10.77.0.1"
[[peer]]
name = "agate"
public_key = "KEY5"
side_public_key = "KEY6"
side_address = "10.77.0.7"
)"),
      "anubis.toml:16:16: key peer[2].side_address: 10.77.0.1 is the side address of peer[1].side_address already, "
      "at anubis.toml:11; give each host its own\n"
      "anubis.toml:21:16: key peer[3].side_address: 10.77.0.7 is this host's own side address, at anubis.toml:6; "
      "give each host its own");
}

TEST_F(ConfigTest, SideAddressesOfTwoFamiliesAreRefused) {
  const std::string error = error_of_xena_and(R"([[peer]]
name = "jacinth"
public_key = "KEY1"
side_public_key = "KEY2"
side_address = "10.77.0.1"
)");
  EXPECT_THAT(error, testing::StartsWith("anubis.toml:13:16: key peer[1].side_address: 10.77.0.1 is of another family "
                                         "than this host's side address fd77:"));
  EXPECT_THAT(error, testing::EndsWith(", at anubis.toml:7; set both to the same"));
}

TEST_F(ConfigTest, APresharedKeyThatIsAPrivateKeyIsRefused) {
  for (const unsigned number : {kOwnProduction, kOwnSide}) {
    folder_.write("jacinth.psk", private_key(number));
    EXPECT_EQ(
        error_of_xena_and(R"([[peer]]
name = "jacinth"
public_key = "KEY1"
side_public_key = "KEY2"
preshared_key_file = "jacinth.psk"
)"),
        "anubis.toml:13:22: key peer[1].preshared_key_file: holds a private key of this host; make another with: wg "
        "genpsk");
  }
}

TEST_F(ConfigTest, F18OnePresharedKeyForTwoPurposesIsRefused) {
  folder_.write("jacinth.psk", private_key(7));
  const std::string jacinth = R"([[peer]]
name = "jacinth"
public_key = "KEY1"
side_public_key = "KEY2"
preshared_key_file = "jacinth.psk"
side_preshared_key_file = )";
  EXPECT_EQ(error_of_xena_and(jacinth + "\"jacinth.psk\"\n"),
            "anubis.toml:14:27: key peer[1].side_preshared_key_file: holds the same key as preshared_key_file, at "
            "anubis.toml:13; make another with: wg genpsk");
  folder_.write("side.psk", private_key(kOwnSide));
  EXPECT_EQ(error_of_xena_and(jacinth + "\"side.psk\"\n"),
            "anubis.toml:14:27: key peer[1].side_preshared_key_file: holds a private key of this host; make another "
            "with: wg genpsk");
}

}  // namespace
}  // namespace anubis::config

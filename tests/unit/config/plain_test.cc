// Peers on which no Anubis runs.
#include <string>
#include <string_view>

#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

using testing::HasSubstr;

// Lines 9 to 12.
constexpr std::string_view kSelen = "[[peer]]\nname = \"selen\"\npublic_key = \"KEY1\"\nplain = true\n";

TEST_F(ConfigTest, APlainPeerHasOneKeyForBothInterfaces) {
  const auto loaded = load_xena_and(kSelen);
  ASSERT_TRUE(loaded) << loaded.error().message;
  const model::Peer& selen = loaded->peers.at(0);
  EXPECT_TRUE(selen.is_plain);
  EXPECT_EQ(selen.side_public_key.to_base64(), selen.public_key.to_base64());
  EXPECT_EQ(selen.side_address.to_string().substr(0, 5), "fd77:");
  EXPECT_EQ(error_of_xena_and(std::string(kSelen) + "side_public_key = \"KEY1\"\n"), "");
  EXPECT_EQ(error_of_xena_and(std::string(kSelen) + "side_public_key = \"KEY2\"\n"), "");
}

TEST_F(ConfigTest, F19_AnotherPeersKeyIsRefusedForAPlainPeer) {
  EXPECT_THAT(error_of_xena_and(std::string(kSelen) + "side_public_key = \"KEY100\"\n"),
              HasSubstr("13:19: key peer[1].side_public_key: is the same key as production.private_key_file"));
  EXPECT_THAT(error_of_xena_and(std::string(kSelen) + "[[peer]]\nname = \"b\"\npublic_key = \"KEY1\"\nplain = true\n"),
              HasSubstr("is the same key as peer[1].public_key"));
}

// The side tunnel of a phone begins at the phone; its host has no second port.
TEST_F(ConfigTest, APlainPeersEndpointIsNoSideEndpoint) {
  const auto loaded = load_xena_and(std::string(kSelen) + "endpoint = \"192.0.2.1:51820\"\n");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->peers.at(0).endpoint->to_string(), "192.0.2.1:51820");
  EXPECT_FALSE(loaded->peers.at(0).side_endpoint);
}

TEST_F(ConfigTest, WithoutAnubisAtTheOtherEndWhatNeedsItIsRefused) {
  EXPECT_THAT(error_of_xena_and(std::string(kSelen) + "endpoint = \"192.0.2.1\"\nside_endpoint = \"192.0.2.1\"\n"
                                                      "endpoint_ports = [53]\n"),
              HasSubstr("peer[1].endpoint_ports: needs an Anubis at the other end"));
  EXPECT_THAT(error_of_xena_and(std::string(kSelen) + "group = \"g\"\nfail_over = true\n"),
              HasSubstr("peer[1].fail_over: needs an Anubis at the other end"));
  EXPECT_THAT(error_of_xena_and("[[peer]]\nname = \"selen\"\npublic_key = \"KEY1\"\n"),
              HasSubstr("peer[1].side_public_key: is missing; it is the public key of the peer's side interface; if no "
                        "Anubis runs there, write plain = true"));
}

TEST_F(ConfigTest, APlainPeersProductionTunnelMayHaveAPresharedKey) {
  folder_.write("psk", private_key(7));
  const auto loaded = load_xena_and(std::string(kSelen) + "production_preshared_key_file = \"psk\"\n");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_TRUE(loaded->peers.at(0).production_preshared_key);
  EXPECT_THAT(error_of_xena_and("[[peer]]\nname = \"a\"\npublic_key = \"KEY1\"\nside_public_key = \"KEY2\"\n"
                                "production_preshared_key_file = \"psk\"\n"),
              HasSubstr("is for peers with plain = true; with others each session has a fresh one"));
  folder_.write("own", private_key(kOwnProduction));
  EXPECT_THAT(error_of_xena_and(std::string(kSelen) + "production_preshared_key_file = \"own\"\n"),
              HasSubstr("holds a private key of this host"));
}

}  // namespace
}  // namespace anubis::config

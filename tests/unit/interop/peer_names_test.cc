#include "lib/interop/peer_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/interop/folder_fixture.h"

namespace anubis::interop {
namespace {

using testing::ElementsAre;

std::string peer(std::uint8_t number, const std::string& more = "") {
  return "[Peer]\nPublicKey = " + public_text(number) + "\n" + more;
}

std::vector<std::string> names_in(const std::string& peers) {
  crypto::initialise();
  const std::string text = "[Interface]\nPrivateKey = " + private_text(9) + "\n" + peers;
  const auto file = config::parse_wg_quick(text, "wg0.conf");
  EXPECT_TRUE(file) << file.error().message;
  return file ? names_of_peers(text, *file, "xena") : std::vector<std::string>{};
}

// As the usual tools and people write them.
TEST(PeerNames, StandInCommentsBeforeThePeer) {
  EXPECT_THAT(names_in("### Client alice\n" + peer(1)), ElementsAre("alice"));
  EXPECT_THAT(names_in("### begin bob ###\n" + peer(1) + "### end bob ###\n"), ElementsAre("bob"));
  EXPECT_THAT(names_in("# Client: carol (2f3c9a-55)\n" + peer(1)), ElementsAre("carol"));
  EXPECT_THAT(names_in("# friendly_name=dave\n" + peer(1)), ElementsAre("dave"));
  EXPECT_THAT(names_in("#erin\n\n" + peer(1)), ElementsAre("erin"));
}

TEST(PeerNames, StandInCommentsInsideThePeer) {
  EXPECT_THAT(names_in("[Peer]\n# Name = frank\nPublicKey = " + public_text(1) + "\n"), ElementsAre("frank"));
  EXPECT_THAT(names_in(peer(1, "# grace\nAllowedIPs = 10.0.0.2/32\n")), ElementsAre("grace"));
}

TEST(PeerNames, BehindAPeersKeysBelongToTheNext) {
  EXPECT_THAT(names_in(peer(1) + "\n# heidi\n" + peer(2)), ElementsAre("peer1", "heidi"));
}

TEST(PeerNames, AreNotWhatIsCommentedOutOrProse) {
  EXPECT_THAT(names_in("# AllowedIPs = 10.0.0.2/32\n" + peer(1)), ElementsAre("peer1"));
  EXPECT_THAT(names_in("# this one is for the office in town\n" + peer(1)), ElementsAre("peer1"));
  EXPECT_THAT(names_in("# ------------\n" + peer(1)), ElementsAre("peer1"));
}

TEST(PeerNames, AreMadeFitAndDifferent) {
  EXPECT_THAT(names_in("# Bob's laptop\n" + peer(1)), ElementsAre("Bob-s-laptop"));
  EXPECT_THAT(names_in("# ../../etc/passwd\n" + peer(1)), ElementsAre("etc-passwd"));
  EXPECT_THAT(names_in("# a\n" + peer(1) + "# A\n" + peer(2) + "# awg\n" + peer(3)), ElementsAre("a", "A-2", "awg-2"));
  EXPECT_THAT(names_in("# xena\n" + peer(1)), ElementsAre("xena-2"));
}

TEST(PeerNames, ComeFromTheEndpointWhereThereIsNoComment) {
  EXPECT_THAT(names_in(peer(1, "Endpoint = se1.vpn.example.net:51820\n")), ElementsAre("se1"));
  EXPECT_THAT(names_in(peer(1, "Endpoint = 192.0.2.1:51820\n")), ElementsAre("peer1"));
}

}  // namespace
}  // namespace anubis::interop

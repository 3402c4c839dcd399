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

std::vector<std::string> names_in(const std::string& peers, std::string_view file_stem = "wg0") {
  crypto::initialise();
  const std::string text = "[Interface]\nPrivateKey = " + private_text(9) + "\n" + peers;
  const auto file = config::parse_wg_quick(text, "wg0.conf");
  EXPECT_TRUE(file) << file.error().message;
  return file ? names_of_peers(text, *file, "xena", file_stem) : std::vector<std::string>{};
}

// As the usual tools and people write them.
TEST(PeerNames, StandInCommentsBeforeThePeer) {
  EXPECT_THAT(names_in("### Client alice\n" + peer(1)), ElementsAre("alice"));
  EXPECT_THAT(names_in("### begin bob ###\n" + peer(1) + "### end bob ###\n"), ElementsAre("bob"));
  EXPECT_THAT(names_in("# Client: carol (2f3c9a-55)\n" + peer(1)), ElementsAre("carol"));
  EXPECT_THAT(names_in("# friendly_name=dave\n" + peer(1)), ElementsAre("dave"));
  EXPECT_THAT(names_in("#erin\n" + peer(1)), ElementsAre("erin"));
}

TEST(PeerNames, StandInCommentsInsideThePeer) {
  EXPECT_THAT(names_in("[Peer]\n# Name = frank\nPublicKey = " + public_text(1) + "\n"), ElementsAre("frank"));
  EXPECT_THAT(names_in("[Peer] # grace\nPublicKey = " + public_text(1) + "\n"), ElementsAre("grace"));
  EXPECT_THAT(names_in("[Peer]\nPublicKey = " + public_text(1) + " # grace\n"), ElementsAre("grace"));
  EXPECT_THAT(names_in("[Peer]\n#Name# = Alice\nPublicKey = " + public_text(1) + "\n"), ElementsAre("Alice"));
}

TEST(PeerNames, BetweenAPeersKeysMustSayThatTheyAreNames) {
  EXPECT_THAT(names_in(peer(1, "# grace\nAllowedIPs = 10.0.0.2/32\n")), ElementsAre("peer1"));
  EXPECT_THAT(names_in(peer(1, "##  Key connection alive ##\nPersistentKeepalive = 25\n")), ElementsAre("peer1"));
  EXPECT_THAT(names_in(peer(1, "# LoadBalancer IP (eu)\nEndpoint = 192.0.2.1:51820\n")), ElementsAre("peer1"));
  EXPECT_THAT(names_in(peer(1, "# Name = grace\nAllowedIPs = 10.0.0.2/32\n")), ElementsAre("grace"));
}

// A wrong name is the name of somebody else, who would be taken down by it.
TEST(PeerNames, EndWithTheirPeer) {
  EXPECT_THAT(names_in("### begin alice ###\n" + peer(1) + "### end alice ###\n### begin bob ###\n" + peer(2) +
                       "### end bob ###\n"),
              ElementsAre("alice", "bob"));
  EXPECT_THAT(names_in("# BEGIN_PEER alice\n" + peer(1) + "# END_PEER alice\n# BEGIN_PEER bob\n" + peer(2) +
                       "# END_PEER bob\n"),
              ElementsAre("alice", "bob"));
  EXPECT_THAT(names_in("### begin alice ###\n" + peer(1) + "### end alice ###\n" + peer(2)),
              ElementsAre("alice", "peer2"));
}

TEST(PeerNames, AreThoseOfTheirPeersBehindAByteOrderMark) {
  crypto::initialise();
  const std::string text = "\xef\xbb\xbf[Peer]\n# alice\nPublicKey = " + public_text(1) +
                           "\n[Peer]\n# bob\nPublicKey = " + public_text(2) +
                           "\n[Interface]\nPrivateKey = " + private_text(9) + "\n";
  const auto file = config::parse_wg_quick(text, "wg0.conf");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_THAT(names_of_peers(text, *file, "xena", "wg0"), ElementsAre("alice", "bob"));
}

TEST(PeerNames, AreNotThoseOfPeersThatAreCommentedOut) {
  const std::string bob = "# bob\n#[Peer]\n#PublicKey = x\n#AllowedIPs = 10.0.0.3/32\n";
  EXPECT_THAT(names_in(bob + "\n# carol\n" + peer(1)), ElementsAre("carol"));
  EXPECT_THAT(names_in(bob + peer(1)), ElementsAre("peer1"));
  EXPECT_THAT(
      names_in("#[off] ### begin bob ###\n#[off] [Peer]\n#[off] ### end bob ###\n### begin carol ###\n" + peer(1)),
      ElementsAre("carol"));
}

TEST(PeerNames, AreNotHeadings) {
  EXPECT_THAT(names_in("#\n# Peers\n#\n\n[Peer]\n# friendly_name = Alice's phone\n# Created: today\nPublicKey = " +
                       public_text(1) + "\n"),
              ElementsAre("Alice-s-phone"));
  EXPECT_THAT(names_in("# --- Phones ---\n" + peer(1)), ElementsAre("peer1"));
  EXPECT_THAT(names_in("# --- Phones ---\n[Peer]\n# bob\nPublicKey = " + public_text(1) + "\n"), ElementsAre("bob"));
  EXPECT_THAT(names_in("# Clients below\n# alice\n" + peer(1)), ElementsAre("alice"));
  EXPECT_THAT(names_in("# Office\n\n" + peer(1)), ElementsAre("peer1"));
}

TEST(PeerNames, OfSeveralTheSurestCounts) {
  EXPECT_THAT(names_in("# tower\n# alice\n" + peer(1)), ElementsAre("alice"));
  EXPECT_THAT(names_in("# Name = alice\n# the blue one\n" + peer(1)), ElementsAre("alice"));
  EXPECT_THAT(names_in("# alice\n[Peer]\n# bob\nPublicKey = " + public_text(1) + "\n"), ElementsAre("bob"));
  EXPECT_THAT(names_in("# alice\n[Peer]\n# bob\n# name: carol\nPublicKey = " + public_text(1) + "\n"),
              ElementsAre("carol"));
}

TEST(PeerNames, StandAmongOtherThingsInTheCommentsOfTools) {
  EXPECT_THAT(names_in("# alice / alice@example.net / Updated: 2024-01-01 / Created: 2024-01-01\n" + peer(1)),
              ElementsAre("alice"));
  EXPECT_THAT(names_in("# 11: android > wgclient_android.conf\n" + peer(1)), ElementsAre("android"));
  EXPECT_THAT(names_in("# Client: Pixel 7 Pro of Anna (2f3c9a55-0000)\n" + peer(1)),
              ElementsAre("Pixel-7-Pro-of-Anna"));
  EXPECT_THAT(names_in("# Name = Bob's big old Windows laptop\n" + peer(1)),
              ElementsAre("Bob-s-big-old-Windows-laptop"));
  EXPECT_THAT(names_in("# -WGP- Display name: Alice\n" + peer(1)), ElementsAre("Alice"));
  EXPECT_THAT(names_in("# Name:  bob\n# Created at: today\n\n# Notes:\n# in the cellar\n" + peer(1)),
              ElementsAre("bob"));
  EXPECT_THAT(names_in("#Owner = dora\n" + peer(1)), ElementsAre("dora"));
  EXPECT_THAT(names_in("# friendly_json={\"id\": 3, \"name\": \"Emil's phone\"}\n" + peer(1)),
              ElementsAre("Emil-s-phone"));
  EXPECT_THAT(names_in("# friendly_json={\"name\"\n" + peer(1)), ElementsAre("peer1"));
}

TEST(PeerNames, BehindAPeersKeysBelongToTheNext) {
  EXPECT_THAT(names_in(peer(1) + "\n# heidi\n" + peer(2)), ElementsAre("peer1", "heidi"));
}

TEST(PeerNames, AreNotWhatIsCommentedOutOrProse) {
  EXPECT_THAT(names_in("# AllowedIPs = 10.0.0.2/32\n" + peer(1)), ElementsAre("peer1"));
  EXPECT_THAT(names_in("# this one is for the office in town\n" + peer(1)), ElementsAre("peer1"));
  EXPECT_THAT(names_in("# ------------\n" + peer(1)), ElementsAre("peer1"));
  EXPECT_THAT(names_in("# 0.0.0.0/0 is required\n" + peer(1)), ElementsAre("peer1"));
  EXPECT_THAT(names_in("# PersistentKeepalive 25\n" + peer(1)), ElementsAre("peer1"));
  EXPECT_THAT(names_in("# Needed at work.\n" + peer(1)), ElementsAre("peer1"));
  EXPECT_THAT(names_in("# " + private_text(3) + "\n" + peer(1)), ElementsAre("peer1"));
  EXPECT_THAT(names_in("# Name = " + private_text(3) + "\n" + peer(1)), ElementsAre("peer1"));
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

TEST(PeerNames, ComeFromTheFileOfAProvidersServer) {
  const std::string server = peer(1, "Endpoint = 192.0.2.1:51820\n");
  EXPECT_THAT(names_in(server, "se-mma-wg-001"), ElementsAre("se-mma-wg-001"));
  EXPECT_THAT(names_in(server, "client"), ElementsAre("peer1"));
  EXPECT_THAT(names_in(server, "wg0-client-alice"), ElementsAre("peer1"));
  EXPECT_THAT(names_in(peer(1), "se-mma-wg-001"), ElementsAre("peer1"));
  EXPECT_THAT(names_in(server + peer(2), "se-mma-wg-001"), ElementsAre("peer1", "peer2"));
}

}  // namespace
}  // namespace anubis::interop

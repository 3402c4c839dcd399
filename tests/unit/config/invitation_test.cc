// [[invitation]] in conf.d: a peer that can do nothing yet, and keeps its place for the one to come.
#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class InvitationTest : public ConfigTest {
 protected:
  static std::string invitation(const std::string& more = "allowed_ips = [\"10.44.0.8/32\"]\n") {
    return with_keys(
               "[[invitation]]\nname = \"petra\"\npublic_key = \"KEY1\"\nside_public_key = \"KEY2\"\n"
               "proof_key = \"KEY3\"\nexpires = 1790000000\n") +
           more;
  }
  static std::string peer(const std::string& name, unsigned key, const std::string& allowed_ips) {
    return "[[peer]]\nname = \"" + name + "\"\npublic_key = \"" + public_key(key) + "\"\nside_public_key = \"" +
           public_key(key + 1) + "\"\nallowed_ips = [\"" + allowed_ips + "\"]\n";
  }
  base::Result<Config> load_with(const std::string& text) {
    folder_.write("conf.d/petra.toml", text);
    return load_xena_and("");
  }
  std::string error_with(const std::string& text) {
    const auto loaded = load_with(text);
    return loaded ? "" : folder_.strip(loaded.error().message);
  }
};

TEST_F(InvitationTest, IsAPeerWithoutRightsThatNobodyCanName) {
  const auto config = load_with(invitation());
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->peers.size(), 1u);
  const model::Peer& peer = config->peers[0];
  EXPECT_TRUE(peer.is_invitation);
  EXPECT_EQ(peer.name, "petra:invitation");
  EXPECT_THAT(peer.allowed_ips, IsEmpty());
  EXPECT_THAT(peer.addresses, IsEmpty());
  EXPECT_FALSE(peer.endpoint);
  ASSERT_EQ(config->invitations.size(), 1u);
  const Invitation& invited = config->invitations[0];
  EXPECT_EQ(invited.name, "petra");
  EXPECT_EQ(invited.public_key, peer.public_key);
  EXPECT_EQ(invited.expires, 1'790'000'000);
  EXPECT_THAT(invited.allowed_ips, ElementsAre(*model::IpPrefix::parse("10.44.0.8/32")));
  EXPECT_EQ(invited.file, folder_ / "conf.d/petra.toml");
}

TEST_F(InvitationTest, OnceUsedItKeepsNothing) {
  const auto config =
      load_with(invitation("used = true\nallowed_ips = [\"10.44.0.8/32\"]\n") + peer("other", 21, "10.44.0.8/32"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->peers.size(), 1u);
  EXPECT_THAT(config->invitations, IsEmpty());
}

TEST_F(InvitationTest, KeepsItsNameAndItsRangesForTheOneToCome) {
  EXPECT_THAT(error_with(invitation() + peer("other", 21, "10.44.0.8/32")), HasSubstr("10.44.0.8/32 belongs to"));
  EXPECT_THAT(error_with(invitation() + "[[host]]\nname = \"petra\"\naddresses = [\"10.44.0.9\"]\n"),
              HasSubstr("\"petra\" is the name of another host"));
  EXPECT_THAT(error_with(invitation() + invitation()), HasSubstr("petra"));
}

TEST_F(InvitationTest, GivesWayToThePeerOnceThatIsThere) {
  const auto config = load_with(invitation() + peer("petra", 21, "10.44.0.8/32"));
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->peers.size(), 2u);
  EXPECT_EQ(config->peers[0].name, "petra");
  EXPECT_FALSE(config->peers[0].is_invitation);
  EXPECT_EQ(config->peers[1].name, "petra:invitation");
}

TEST_F(InvitationTest, HasKeysOfItsOwn) {
  EXPECT_THAT(error_with(invitation() + peer("petra", 1, "10.44.0.8/32")), HasSubstr("is the same key as"));
}

TEST_F(InvitationTest, SaysWhatIsWrongWithIt) {
  EXPECT_THAT(error_with("[[invitation]]\n"),
              HasSubstr("key invitation[1].proof_key: is missing; `anubis invite` makes it"));
  EXPECT_THAT(error_with(invitation("allowed_ips = [\"127.0.0.0/8\"]\n")), HasSubstr("loopback"));
  EXPECT_THAT(error_with(invitation() + "lease = \"1h\"\n"), HasSubstr("invitation[1].lease"));
}

TEST_F(InvitationTest, StandsInConfDOnly) { EXPECT_NE(error_of_xena_and(invitation()), ""); }

}  // namespace
}  // namespace anubis::config

// The firewall among the other things that netd keeps.
#include "anubisd/netd/firewall_keeper.h"

#include "tests/unit/anubisd/netd/fake_host.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using firewall::Standing;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class FirewallKeeperTest : public FakeHostTest {
 protected:
  static InstallRequest to(PeerIndex index) { return {.peer = index, .endpoint = endpoint("192.0.2.1:4296")}; }
  [[nodiscard]] const std::vector<model::IpPrefix>& let_in() const { return firewall_.standing->production; }
  base::Status bring_up_side() {
    netd_ = new_netd();
    const auto report = netd_->bring_up(Interface::kSide);
    return report ? base::Status() : base::fail(report.error());
  }
  std::vector<Drift> check() {
    EXPECT_TRUE(netd_->bring_up(Interface::kSide));
    return netd_->take_drift();
  }
};

TEST_F(FirewallKeeperTest, SaysWhatTheConfigurationSays) {
  config_.firewall.masquerade = {prefix("10.44.0.0/24")};
  auto jacinth = peer("jacinth", 1, {"10.44.1.0/24"});
  jacinth.never_clear = true;
  add_peer(jacinth);
  add_peer(peer("opal", 2, {"10.44.2.0/24"}));
  bring_up();
  const auto& policy = *firewall_.standing;
  EXPECT_EQ(policy.production_interface, "wg0");
  EXPECT_EQ(policy.side_interface, "anubis0");
  EXPECT_EQ(policy.side_address, config_.side.address);
  EXPECT_THAT(policy.side_ranges, ElementsAre(prefix("fd77::/16")));
  EXPECT_THAT(policy.never_clear, ElementsAre(prefix("10.44.1.0/24")));
  EXPECT_THAT(policy.masquerade, ElementsAre(prefix("10.44.0.0/24")));
  EXPECT_THAT(policy.production, IsEmpty());
}

TEST_F(FirewallKeeperTest, WithoutItTheSideInterfaceStaysDown) {
  firewall_.error = base::Error{ErrorCode::kIo, "nftables refuses"};
  const auto status = bring_up_side();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("nftables refuses"));
  EXPECT_THAT(status.error().message, HasSubstr("set enabled = false in [firewall]"));
  EXPECT_FALSE(network_.link("anubis0").value());
  // Once it can be put in place, all is well.
  firewall_.error.reset();
  EXPECT_TRUE(netd_->bring_up(Interface::kSide));
}

TEST_F(FirewallKeeperTest, WhereItIsNotWantedNobodyMindsThatThereIsNone) {
  config_.firewall.enabled = false;
  firewall_.error = base::Error{ErrorCode::kUnsupported, "this kernel has no nftables"};
  EXPECT_TRUE(bring_up_side());
  EXPECT_EQ(firewall_.applied, 0);
}

TEST_F(FirewallKeeperTest, WhatAnEarlierProcessLeftGoesWhereItIsNotWanted) {
  firewall_.standing.emplace();
  config_.firewall.enabled = false;
  EXPECT_TRUE(bring_up_side());
  EXPECT_FALSE(firewall_.standing);
}

TEST_F(FirewallKeeperTest, FollowsTheSessions) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24", "fd44:1::/64"}));
  const auto opal = add_peer(peer("opal", 2, {"10.44.2.0/24"}));
  bring_up();
  ASSERT_TRUE(netd_->install(to(jacinth)));
  EXPECT_THAT(let_in(), UnorderedElementsAre(prefix("10.44.1.0/24"), prefix("fd44:1::/64")));
  ASSERT_TRUE(netd_->install(to(opal)));
  ASSERT_TRUE(netd_->remove(jacinth));
  EXPECT_THAT(let_in(), ElementsAre(prefix("10.44.2.0/24")));
  EXPECT_EQ(firewall_.applied, 1);
}

TEST_F(FirewallKeeperTest, ASessionThatItCannotFollowIsNone) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  firewall_.error = base::Error{ErrorCode::kIo, "no room"};
  const auto presence = netd_->install(to(jacinth));
  ASSERT_FALSE(presence);
  EXPECT_THAT(presence.error().message, HasSubstr("no room"));
  EXPECT_THAT(netd_->installed_peers().value(), IsEmpty());
}

TEST_F(FirewallKeeperTest, F41SessionsOfAnEarlierProcessAreLetInAllTheTime) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  ASSERT_TRUE(netd_->install(to(jacinth)));
  ASSERT_TRUE(bring_up_side());  // the next process
  EXPECT_THAT(let_in(), ElementsAre(prefix("10.44.1.0/24")));
  ASSERT_TRUE(netd_->bring_up(Interface::kProduction));
  EXPECT_THAT(let_in(), ElementsAre(prefix("10.44.1.0/24")));
}

// One packet in two imports was lost between the firewall and the adoption.
TEST_F(FirewallKeeperTest, ATunnelFromBeforeUsIsLetInUntilItIsKnown) {
  add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  ASSERT_TRUE(bring_up_side());
  EXPECT_THAT(let_in(), UnorderedElementsAre(prefix("0.0.0.0/0"), prefix("::/0")));
  ASSERT_TRUE(netd_->bring_up(Interface::kProduction));
  EXPECT_THAT(let_in(), IsEmpty());
}

TEST_F(FirewallKeeperTest, WhatOthersDoToItIsPutBackAndTold) {
  bring_up();
  EXPECT_THAT(check(), IsEmpty());
  for (const Standing found : {Standing::kChanged, Standing::kGone}) {
    firewall_.found = found;
    EXPECT_THAT(check(), ElementsAre(Drift{.kind = DriftKind::kFirewall, .interface = Interface::kSide, .peer = {}}));
    EXPECT_THAT(check(), IsEmpty());
  }
  EXPECT_EQ(firewall_.applied, 3);
}

TEST_F(FirewallKeeperTest, WhatOthersDoToItIsLookedAtAtOnce) {
  bring_up();
  EXPECT_THAT(netd_->interfaces_to_heal(), IsEmpty());
  firewall_.noticed.others = true;
  EXPECT_THAT(netd_->interfaces_to_heal(), IsEmpty());
  firewall_.noticed.ours = true;
  EXPECT_THAT(netd_->interfaces_to_heal(), ElementsAre(Interface::kSide));
}

TEST_F(FirewallKeeperTest, AReloadIsPutInPlaceWhereItChangesSomething) {
  auto jacinth = peer("jacinth", 1, {"10.44.1.0/24"});
  const auto index = add_peer(jacinth);
  bring_up();
  ASSERT_TRUE(netd_->install(to(index)));
  ASSERT_TRUE(netd_->apply_changes(change_peers({jacinth})));
  EXPECT_EQ(firewall_.applied, 1);
  jacinth.never_clear = true;
  ASSERT_TRUE(netd_->apply_changes(change_peers({jacinth})));
  EXPECT_THAT(firewall_.standing->never_clear, ElementsAre(prefix("10.44.1.0/24")));
  EXPECT_THAT(let_in(), ElementsAre(prefix("10.44.1.0/24")));
  config_.firewall.enabled = false;
  ASSERT_TRUE(netd_->apply_changes(change_peers({jacinth})));
  EXPECT_FALSE(firewall_.standing);
  config_.firewall.enabled = true;
  ASSERT_TRUE(netd_->apply_changes(change_peers({jacinth})));
  EXPECT_THAT(let_in(), ElementsAre(prefix("10.44.1.0/24")));
}

TEST_F(FirewallKeeperTest, APeerThatIsNoLongerAuthorisedIsNotLetIn) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  ASSERT_TRUE(netd_->install(to(jacinth)));
  ASSERT_TRUE(netd_->apply_changes(change_peers({})));
  EXPECT_THAT(let_in(), IsEmpty());
}

TEST_F(FirewallKeeperTest, TheAdministratorTakesItAwayAndPutsItBack) {
  bring_up();
  EXPECT_EQ(netd_->firewall_report()->state, FirewallState::kInPlace);
  ASSERT_TRUE(netd_->remove_firewall());
  EXPECT_EQ(netd_->firewall_report()->state, FirewallState::kRemoved);
  EXPECT_THAT(check(), IsEmpty());
  EXPECT_FALSE(firewall_.standing) << "it came back by itself";
  ASSERT_TRUE(netd_->apply_firewall());
  EXPECT_TRUE(firewall_.standing);
  EXPECT_EQ(netd_->firewall_report()->state, FirewallState::kInPlace);
}

TEST_F(FirewallKeeperTest, TheAdministratorPutsItInPlaceThoughItIsNotConfigured) {
  config_.firewall.enabled = false;
  bring_up();
  EXPECT_EQ(netd_->firewall_report()->state, FirewallState::kDisabled);
  ASSERT_TRUE(netd_->apply_firewall());
  EXPECT_TRUE(firewall_.standing);
  EXPECT_THAT(check(), IsEmpty());
  EXPECT_TRUE(firewall_.standing);
  EXPECT_FALSE(netd_->firewall_report()->is_configured);
}

TEST_F(FirewallKeeperTest, ReportsWhatOthersDid) {
  bring_up();
  firewall_.found = Standing::kChanged;
  EXPECT_EQ(netd_->firewall_report()->state, FirewallState::kChanged);
  // Looked at again only when somebody changed something.
  firewall_.closed = {{.port = 4296, .table = "inet filter", .chain = "input", .v4 = true, .v6 = true, .advice = "x"}};
  EXPECT_THAT(netd_->firewall_report()->closed_ports, IsEmpty());
  firewall_.noticed.others = true;
  (void)netd_->interfaces_to_heal();
  EXPECT_EQ(netd_->firewall_report()->closed_ports, firewall_.closed);
}

TEST_F(FirewallKeeperTest, GoesWithTheInterfaces) {
  bring_up();
  ASSERT_TRUE(netd_->tear_down());
  EXPECT_FALSE(firewall_.standing);
}

}  // namespace
}  // namespace anubis::netd

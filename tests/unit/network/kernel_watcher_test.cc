#include <vector>

#include <poll.h>

#include "lib/network/watcher.h"
#include "tests/unit/network/kernel_fixture.h"

namespace anubis::network {
namespace {

using testing::Contains;
using testing::Field;
using testing::IsEmpty;
using testing::Not;

class KernelWatcher : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped()) return;
    add_tunnel("tun7", "10.44.0.7/32");
    auto created = Watcher::create();
    ASSERT_TRUE(created) << created.error().message;
    watcher_ = std::move(*created);
  }

  [[nodiscard]] bool readable() const {
    pollfd waiting{watcher_->fd(), POLLIN, 0};
    return poll(&waiting, 1, 0) == 1;
  }

  Changes drain_all() {
    Changes all;
    for (int i = 0; i < 1000; ++i) {
      auto drained = watcher_->drain();
      EXPECT_TRUE(drained) << drained.error().message;
      if (!drained) break;
      all.changes.insert(all.changes.end(), drained->changes.begin(), drained->changes.end());
      all.overrun = all.overrun || drained->overrun;
      if (!drained->more) break;
    }
    return all;
  }

  std::unique_ptr<Watcher> watcher_;
};

TEST_F(KernelWatcher, IsSilentWhileNothingChanges) {
  EXPECT_FALSE(readable());
  EXPECT_THAT(drain_all().changes, IsEmpty());
}

TEST_F(KernelWatcher, F45TellsOfLinksThatComeGoAndAreRenamed) {
  const std::uint32_t index = index_of("tun7");
  run("ip link set tun7 down");
  run("ip link set tun7 name tun9");
  EXPECT_TRUE(readable());
  const auto renamed = drain_all().changes;
  EXPECT_THAT(renamed, Contains(Change{ChangeKind::kLink, false, index, "tun7"}));
  EXPECT_THAT(renamed, Contains(Change{ChangeKind::kLink, false, index, "tun9"}));
  run("ip link delete tun9");
  EXPECT_THAT(drain_all().changes, Contains(Change{ChangeKind::kLink, true, index, "tun9"}));
}

TEST_F(KernelWatcher, TellsOfAddressesAndOfOurRoutesAndRulesOnly) {
  const std::uint32_t index = index_of("tun7");
  run("ip address add 10.9.0.1/32 dev tun7");
  EXPECT_THAT(drain_all().changes, Contains(Change{ChangeKind::kAddress, false, index, ""}));
  run("ip route add 10.50.0.0/24 dev tun7");
  run("ip rule add priority 100 lookup 100");
  EXPECT_THAT(drain_all().changes, IsEmpty());
  run("ip route add 10.51.0.0/24 dev tun7 protocol 214");
  run("ip -6 rule add priority 100 lookup 100 protocol 214");
  EXPECT_THAT(drain_all().changes, Contains(Change{ChangeKind::kRoute, false, index, ""}));
  run("ip route delete 10.51.0.0/24 dev tun7");
  run("ip -6 rule delete priority 100");
  const auto gone = drain_all().changes;
  EXPECT_THAT(gone, Contains(Change{ChangeKind::kRoute, true, index, ""}));
  EXPECT_THAT(gone, Contains(Change{ChangeKind::kRule, true, 0, ""}));
}

TEST_F(KernelWatcher, KeepsQuietAboutOurOwnChanges) {
  watcher_->ignore(network_->port());
  const std::vector<Route> routes = {route("10.50.0.0/24", "tun7"), route("fd50::/64", "tun7")};
  expect_in_place(network_->add_routes(routes));
  Rule rule;
  rule.priority = 21410;
  rule.table = 214;
  ASSERT_TRUE(network_->add_rule(rule));
  ASSERT_TRUE(network_->add_address(index_of("tun7"), interface_address("10.9.0.1/32"), PrefixRoute::kAdd));
  EXPECT_THAT(drain_all().changes, IsEmpty());
  run("ip route delete 10.50.0.0/24 table 214");
  EXPECT_THAT(drain_all().changes, Contains(Field(&Change::kind, ChangeKind::kRoute)));
}

TEST_F(KernelWatcher, F43OverrunIsToldAndTheWatchGoesOn) {
  std::vector<Route> routes;
  for (int i = 0; i < 6000; ++i)
    routes.push_back(route("10." + std::to_string(100 + i / 250) + "." + std::to_string(i % 250) + ".0/24", "tun7"));
  expect_in_place(network_->add_routes(routes));
  EXPECT_TRUE(drain_all().overrun);
  EXPECT_FALSE(drain_all().overrun);
  expect_in_place(network_->remove_routes(std::span(routes).first(1)));
  const auto changes = drain_all();
  EXPECT_THAT(changes.changes, Contains(Field(&Change::kind, ChangeKind::kRoute)));
  EXPECT_FALSE(changes.overrun);
}

TEST_F(KernelWatcher, F46TellsWhenARouteOfTheWatchedTableIsReplacedOrTheOtherOneGoes) {
  run("ip route add 10.1.0.0/24 dev tun7 table 214 proto 214");
  (void)drain_all();
  const Change lost{ChangeKind::kRoute, true, 0, {}};
  run("ip route replace 10.1.0.0/24 dev lo table 214");
  EXPECT_THAT(drain_all().changes, IsEmpty());  // nobody watches yet
  run("ip route replace 10.1.0.0/24 dev tun7 table 214");
  watcher_->watch_table(214);
  run("ip route replace 10.2.0.0/24 dev tun7 table 215");
  (void)drain_all();
  run("ip route replace 10.1.0.0/24 dev lo table 214");
  EXPECT_THAT(drain_all().changes, Contains(lost));
  run("ip route delete 10.1.0.0/24 table 214");
  EXPECT_THAT(drain_all().changes, Contains(lost));
  run("ip route add 10.3.0.0/24 dev lo table 214");
  run("ip route replace 10.2.0.0/24 dev lo table 215");
  EXPECT_THAT(drain_all().changes, IsEmpty());
}

}  // namespace
}  // namespace anubis::network

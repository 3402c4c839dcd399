#include "anubisd/netd/surroundings_watch.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "lib/network/testing/fake_network.h"
#include "tests/unit/anubisd/netd/host.h"

namespace anubis::netd {
namespace {

using model::Sighting;
using model::SightingKind;
using network::Change;
using network::ChangeKind;
using testing::ElementsAre;

class SurroundingsWatchTest : public testing::Test {
 protected:
  SurroundingsWatchTest() {
    add_address(eth0_, "192.0.2.7/24");
    add_address(wg0_, "10.44.0.7/24");
    EXPECT_TRUE(watch_.look(own_));
  }

  void add_address(std::uint32_t link, const char* text) {
    EXPECT_TRUE(network_.add_address(link, model::InterfaceAddress::parse(text).value(), network::PrefixRoute::kAdd));
  }
  void remove_address(std::uint32_t link, const char* text) {
    EXPECT_TRUE(network_.remove_address(link, model::InterfaceAddress::parse(text).value()));
  }
  // Whether that makes the watch tell of a change; which it then has done.
  bool tells(std::vector<Change> changes) {
    const bool changed = watch_.heed({.changes = std::move(changes)}, own_);
    EXPECT_EQ(take(), changed);
    return changed;
  }
  bool take() {
    pollfd event{watch_.fd(), POLLIN, 0};
    const bool told = poll(&event, 1, 0) == 1;
    watch_.quiet();
    return told;
  }
  [[nodiscard]] Change on(std::uint32_t link, ChangeKind kind, bool gone = false) const {
    return {.kind = kind, .gone = gone, .ifindex = link};
  }
  [[nodiscard]] Change default_route(const char* gateway, bool gone = false) const {
    Change change = on(eth0_, ChangeKind::kDefaultRoute, gone);
    change.gateway = ip(gateway);
    return change;
  }

  network::FakeNetwork network_;
  std::uint32_t eth0_ = network_.add_link({.name = "eth0", .mtu = 1500, .up = true});
  std::uint32_t wg0_ = network_.add_link({.name = "wg0", .kind = "wireguard", .mtu = 1420, .up = true});
  std::array<std::uint32_t, 1> own_{wg0_};
  SurroundingsWatch watch_ = SurroundingsWatch::create(network_).value();
};

TEST_F(SurroundingsWatchTest, LooksAtWhatIsNotOurs) {
  const Sighting gateway{.kind = SightingKind::kDefaultRoute, .link = "eth0", .address = ip("192.0.2.1")};
  network_.add_default_route(gateway);
  const auto seen = watch_.look(own_);
  ASSERT_TRUE(seen);
  EXPECT_THAT(
      *seen,
      ElementsAre(
          Sighting{.kind = SightingKind::kAddress, .link = "eth0", .is_uplink = true, .address = ip("192.0.2.7")},
          gateway));
}

TEST_F(SurroundingsWatchTest, AnAddressThatComesOrGoesIsAChange) {
  add_address(eth0_, "192.168.7.20/24");
  EXPECT_TRUE(tells({on(eth0_, ChangeKind::kAddress)}));
  EXPECT_FALSE(tells({on(eth0_, ChangeKind::kAddress)})) << "refreshed";
  remove_address(eth0_, "192.0.2.7/24");
  EXPECT_TRUE(tells({on(eth0_, ChangeKind::kAddress, true)}));
}

TEST_F(SurroundingsWatchTest, ALinkThatGoesDownIsAChangeButNotItsEveryMessage) {
  EXPECT_FALSE(tells({on(eth0_, ChangeKind::kLink)}));
  EXPECT_TRUE(network_.set_link(eth0_, {.mtu = {}, .up = false, .alias = {}}));
  EXPECT_TRUE(tells({on(eth0_, ChangeKind::kLink)}));
}

TEST_F(SurroundingsWatchTest, WhatHappensToOurOwnLinksIsNone) {
  add_address(wg0_, "10.44.0.8/24");
  Change route = default_route("10.44.0.1");
  route.ifindex = wg0_;
  EXPECT_FALSE(tells({on(wg0_, ChangeKind::kAddress), on(wg0_, ChangeKind::kLink), on(wg0_, ChangeKind::kRoute), route,
                      on(0, ChangeKind::kRule)}));
}

TEST_F(SurroundingsWatchTest, ADefaultRouteThatComesOrGoesIsAChange) {
  EXPECT_TRUE(tells({default_route("192.0.2.1")}));
  EXPECT_FALSE(tells({default_route("192.0.2.1")})) << "refreshed";
  EXPECT_TRUE(tells({default_route("192.0.2.2")}));
  EXPECT_TRUE(tells({default_route("192.0.2.1", true)}));
  EXPECT_TRUE(tells({default_route("192.0.2.1")}));
}

// IPv4 routes go without a word when their link goes down, be it for a moment, or their address does.
TEST_F(SurroundingsWatchTest, ADefaultRouteThatComesAfterSomethingHappenedToItsLinkIsANewOne) {
  EXPECT_TRUE(tells({default_route("192.0.2.1")}));
  EXPECT_TRUE(tells({on(eth0_, ChangeKind::kLink), default_route("192.0.2.1")}));
  EXPECT_FALSE(tells({on(eth0_, ChangeKind::kAddress, true)})) << "it was another one, and has come back";
  EXPECT_TRUE(tells({default_route("192.0.2.1")}));
  EXPECT_FALSE(tells({on(wg0_, ChangeKind::kLink), default_route("192.0.2.1")}));
}

TEST_F(SurroundingsWatchTest, WhereSomethingWasLostItMayHaveBeenAChange) {
  EXPECT_TRUE(watch_.heed({.overrun = true}, own_));
  EXPECT_TRUE(take());
}

TEST_F(SurroundingsWatchTest, WhatCannotBeSeenMayHaveChanged) {
  network_.fail_next(network::FakeNetwork::Operation::kUsableAddresses, {base::ErrorCode::kBusy, "not now"});
  EXPECT_TRUE(tells({on(eth0_, ChangeKind::kAddress)}));
  network_.fail_next(network::FakeNetwork::Operation::kDefaultRoutes, {base::ErrorCode::kBusy, "not now"});
  EXPECT_FALSE(watch_.look(own_));
}

}  // namespace
}  // namespace anubis::netd

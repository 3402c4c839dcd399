// When both interfaces are looked at, and what is told of it.
#include "anubisd/interfaces.h"

#include <chrono>

#include <gmock/gmock.h>

#include "tests/unit/anubisd/fake_netd.h"
#include "tests/unit/anubisd/loop_fixture.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using netd::Drift;
using netd::DriftKind;
using netd::Interface;
using testing::ElementsAre;
using testing::IsEmpty;

class Listener final : public Interfaces::Listener {
 public:
  base::Status made_anew(Interface /*which*/) override { return {}; }
  void drifted(const Drift& drift) override { drifts.push_back(drift); }
  void production_lost(const std::string& reason) override { told.push_back("lost: " + reason); }
  void production_back() override { told.emplace_back("back"); }
  void health_changed(const std::string& degraded) override { told.push_back("degraded: " + degraded); }

  std::vector<Drift> drifts;
  std::vector<std::string> told;
};

class InterfacesTest : public LoopTest {
 protected:
  void SetUp() override { ASSERT_TRUE(interfaces_.start()); }
  int looks(Interface which) { return netd_.brought_up[which]; }

  FakeNetd netd_;
  Listener listener_;
  Interfaces interfaces_{loop_, netd_, listener_};
};

TEST(CheckPeriod, IsAHundredTimesWhatACheckTakesWithinItsBounds) {
  EXPECT_EQ(check_period(0us), 10s);
  EXPECT_EQ(check_period(200ms), 20s);
  EXPECT_EQ(check_period(1h), 60s);
}

TEST_F(InterfacesTest, DriftThatALookFoundIsTold) {
  const Drift removed{.kind = DriftKind::kPeerRemoved, .interface = Interface::kProduction, .peer = {}};
  netd_.drift = {removed};
  netd_.disturb(Interface::kProduction);
  ASSERT_TRUE(run_until([&] { return looks(Interface::kProduction) == 2; }));
  EXPECT_THAT(listener_.drifts, ElementsAre(removed));
  EXPECT_THAT(listener_.told, IsEmpty());
}

TEST_F(InterfacesTest, F45LossOfTheProductionInterfaceIsToldOnceAndSoIsItsReturn) {
  netd_.bring_up_error = base::Error{base::ErrorCode::kExists, "wg0 is no WireGuard interface"};
  netd_.lost = {Interface::kProduction};
  netd_.disturb(Interface::kProduction);
  ASSERT_TRUE(run_until([&] { return looks(Interface::kProduction) == 3; }));  // and the first retry
  EXPECT_TRUE(interfaces_.production_is_lost());
  netd_.bring_up_error.reset();
  netd_.lost.clear();
  ASSERT_TRUE(run_until([&] { return looks(Interface::kProduction) == 4; }));
  EXPECT_FALSE(interfaces_.production_is_lost());
  EXPECT_THAT(listener_.told, ElementsAre("lost: wg0 is no WireGuard interface",
                                          "degraded: wg0 is no WireGuard interface", "back", "degraded: "));
  EXPECT_THAT(listener_.drifts, IsEmpty());
}

TEST_F(InterfacesTest, F51OneSessionThatCannotBeHealedIsNoLoss) {
  netd_.bring_up_error = base::Error{base::ErrorCode::kExists, "another route stands in its place"};
  netd_.disturb(Interface::kProduction);
  ASSERT_TRUE(run_until([&] { return looks(Interface::kProduction) == 2; }));
  EXPECT_FALSE(interfaces_.production_is_lost());
  EXPECT_EQ(interfaces_.degraded(), "another route stands in its place");
}

TEST_F(InterfacesTest, TheLossOfTheSideInterfaceIsNotThatOfTheProductionInterface) {
  netd_.lost = {Interface::kSide};
  netd_.disturb(Interface::kSide);
  ASSERT_TRUE(run_until([&] { return looks(Interface::kSide) == 2; }));
  EXPECT_FALSE(interfaces_.production_is_lost());
}

TEST_F(InterfacesTest, WhatATryStirsUpDoesNotMakeItBeTriedAllTheTime) {
  netd_.bring_up_error = base::Error{base::ErrorCode::kIo, "no luck"};
  const auto begun = base::BootClock::now();
  netd_.disturb(Interface::kProduction);
  (void)run_until([&] {
    netd_.disturb(Interface::kProduction);
    return base::BootClock::now() - begun > 700ms;
  });
  // At once, after 250 ms, and 500 ms after that.
  EXPECT_LE(looks(Interface::kProduction), 4);
}

}  // namespace
}  // namespace anubis::daemon

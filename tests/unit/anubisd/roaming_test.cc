#include "anubisd/roaming.h"

#include <chrono>
#include <string>
#include <vector>

#include "tests/unit/anubisd/fake_netd.h"
#include "tests/unit/anubisd/loop_fixture.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using model::Sighting;
using model::SightingKind;
using roaming::Place;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

model::Peer peer_called(const std::string& name, bool is_automatic) {
  model::Peer peer{.name = name};
  peer.public_key.bytes[0] = static_cast<std::uint8_t>(name[0]);
  peer.is_automatic = is_automatic;
  return peer;
}

std::vector<Sighting> at(const char* address, const char* mac = nullptr) {
  Sighting route{.kind = SightingKind::kDefaultRoute, .link = "eth0", .address = *model::IpAddress::parse("192.0.2.1")};
  if (mac != nullptr) route.mac = *model::MacAddress::parse(mac);
  route.is_resolving = mac == nullptr;
  return {
      {.kind = SightingKind::kAddress, .link = "eth0", .is_uplink = true, .address = *model::IpAddress::parse(address)},
      route};
}

class RoamingTest : public LoopTest, public Roaming::Listener {
 protected:
  void wants(model::PeerIndex peer, bool up) override {
    wanted_.push_back((up ? "up " : "down ") + directory_.get(peer)->name);
  }
  void place_changed(const roaming::Whereabouts& whereabouts) override { places_.push_back(whereabouts.place); }
  void network_changed() override { ++network_changes_; }

  void SetUp() override { directory_.replace({peer_called("jacinth", true), peer_called("beryl", false)}); }

  Roaming& roaming() {
    if (!roaming_) roaming_.emplace(loop_, netd_, directory_, settings_, *this);
    return *roaming_;
  }
  void start_at(std::vector<Sighting> there) {
    netd_.sightings = std::move(there);
    roaming().start();
  }
  std::vector<std::string> take_wanted() { return std::exchange(wanted_, {}); }

  model::InMemoryDirectory directory_;
  FakeNetd netd_;
  roaming::Settings settings_{{roaming::parse_mark("192.168.7.0/24").value()}, 0s};
  std::optional<Roaming> roaming_;
  std::vector<std::string> wanted_;
  std::vector<Place> places_;
  int network_changes_ = 0;
};

const std::vector<Sighting> kHome = at("192.168.7.20", "52:54:00:12:34:56");
const std::vector<Sighting> kAway = at("10.0.0.9", "52:54:00:00:00:01");

TEST_F(RoamingTest, TheStartActsUponThePlace) {
  start_at(kAway);
  EXPECT_EQ(roaming().place(), Place::kAway);
  EXPECT_THAT(take_wanted(), ElementsAre("up jacinth"));
  EXPECT_THAT(places_, ElementsAre(Place::kAway));
  EXPECT_EQ(network_changes_, 0);
}

TEST_F(RoamingTest, FollowsWhatNetdTellsOf) {
  start_at(kHome);
  EXPECT_THAT(take_wanted(), ElementsAre("down jacinth"));
  netd_.move_to(kAway);
  ASSERT_TRUE(run_until([&] { return roaming().place() == Place::kAway; }));
  EXPECT_THAT(take_wanted(), ElementsAre("up jacinth"));
  EXPECT_EQ(network_changes_, 1);
  netd_.move_to({});
  ASSERT_TRUE(run_until([&] { return roaming().place() == Place::kOffline; }));
  EXPECT_THAT(take_wanted(), IsEmpty());
  EXPECT_EQ(network_changes_, 2);
}

TEST_F(RoamingTest, ASwarmOfChangesIsOneLook) {
  start_at(kHome);
  const int looks = netd_.looks;
  for (int i = 0; i < 10; ++i) {
    netd_.move_to(kAway);
    roaming().told(std::nullopt);
  }
  ASSERT_TRUE(run_until([&] { return roaming().place() == Place::kAway; }));
  EXPECT_EQ(netd_.looks, looks + 1);
  EXPECT_EQ(network_changes_, 1);
}

TEST_F(RoamingTest, APlaceIsHeldDown) {
  settings_.hold_down = 1s;
  const base::Time begin = base::BootClock::now();
  start_at(kAway);
  EXPECT_EQ(roaming().place(), Place::kAway);
  EXPECT_THAT(roaming().reason(), HasSubstr("nothing is done about it before it has lasted for 1 s"));
  EXPECT_THAT(wanted_, IsEmpty());
  ASSERT_TRUE(run_until([&] { return !wanted_.empty(); }));
  EXPECT_GE(base::BootClock::now() - begin, 900ms);
  EXPECT_EQ(roaming().reason(), "nothing here is a mark of home");
}

TEST_F(RoamingTest, AGatewayThatIsBeingAskedIsLookedAtAgainSoon) {
  settings_.home = {roaming::parse_mark("52:54:00:12:34:56").value()};
  start_at(at("10.0.0.9"));
  EXPECT_EQ(roaming().place(), Place::kUnknown);
  EXPECT_THAT(wanted_, IsEmpty());
  netd_.sightings = at("10.0.0.9", "52:54:00:12:34:56");  // nobody tells of that
  ASSERT_TRUE(run_until([&] { return roaming().place() == Place::kHome; }));
  EXPECT_THAT(take_wanted(), ElementsAre("down jacinth"));
}

TEST_F(RoamingTest, ConnectionsThatAreToldCount) {
  settings_.home = {roaming::parse_mark("MyHomeWifi").value()};
  start_at(kAway);
  EXPECT_EQ(roaming().place(), Place::kUnknown);
  roaming().told({{{"MyHomeWifi", "5f1c0bd0"}}});
  ASSERT_TRUE(run_until([&] { return roaming().place() == Place::kHome; }));
  EXPECT_THAT(take_wanted(), ElementsAre("down jacinth"));
  roaming().told(std::nullopt);  // could not be asked: as they were
  roaming().told({{{"Hotel", "0"}}});
  ASSERT_TRUE(run_until([&] { return roaming().place() == Place::kAway; }));
  EXPECT_THAT(take_wanted(), ElementsAre("up jacinth"));
}

TEST_F(RoamingTest, WhereNobodyTellsConnectionsNoneIsActive) {
  settings_.home = {roaming::parse_mark("MyHomeWifi").value()};
  start_at(kAway);
  ASSERT_TRUE(run_until([&] { return roaming().place() == Place::kAway; }));
  EXPECT_THAT(take_wanted(), ElementsAre("up jacinth"));
}

TEST_F(RoamingTest, WhatCannotBeSeenChangesNothing) {
  start_at(kAway);
  (void)take_wanted();
  netd_.look_error = base::Error{base::ErrorCode::kBusy, "cannot list the routes"};
  netd_.move_to(kHome);
  ASSERT_TRUE(run_until([&] { return roaming().place() == Place::kUnknown; }));
  EXPECT_EQ(roaming().reason(), "cannot list the routes");
  EXPECT_THAT(wanted_, IsEmpty());
}

TEST_F(RoamingTest, WhereNowhereIsHomeAutomaticPeersAreWantedFromTheStart) {
  settings_ = {};
  start_at({});
  EXPECT_THAT(take_wanted(), ElementsAre("up jacinth"));
  EXPECT_THAT(places_, IsEmpty());
  netd_.move_to({});
  ASSERT_TRUE(run_until([&] { return network_changes_ == 1; }));
  EXPECT_THAT(wanted_, IsEmpty());
}

TEST_F(RoamingTest, AReloadActsForPeersThatBecameAutomatic) {
  start_at(kAway);
  (void)take_wanted();
  directory_.replace({peer_called("jacinth", true), peer_called("beryl", true), peer_called("onyx", true)});
  roaming().reloaded(settings_);
  EXPECT_THAT(take_wanted(), testing::UnorderedElementsAre("up beryl", "up onyx"));
  roaming().reloaded(settings_);
  EXPECT_THAT(wanted_, IsEmpty());
}

TEST_F(RoamingTest, AReloadThatChangesHomeActsAgain) {
  start_at(kAway);
  (void)take_wanted();
  settings_.home = {roaming::parse_mark("10.0.0.0/8").value()};
  roaming().reloaded(settings_);
  EXPECT_EQ(roaming().place(), Place::kHome);
  EXPECT_THAT(take_wanted(), ElementsAre("down jacinth"));
}

TEST_F(RoamingTest, NothingComesAfterStop) {
  start_at(kHome);
  (void)take_wanted();
  netd_.move_to(kAway);
  roaming().stop();
  run_for(500ms);
  EXPECT_THAT(wanted_, IsEmpty());
}

}  // namespace
}  // namespace anubis::daemon

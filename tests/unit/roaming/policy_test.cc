#include "lib/roaming/policy.h"

#include <gtest/gtest.h>

namespace anubis::roaming {
namespace {

using namespace std::chrono_literals;

class PolicyTest : public testing::Test {
 protected:
  // What is decided when the place is seen at that time.
  Wanted see(Place place, base::Duration at) { return policy_.see(place, base::Time(at)); }

  Settings settings_{{parse_mark("192.168.7.0/24").value()}, 5s};
  Policy policy_{settings_};
};

TEST_F(PolicyTest, AwayIsUpAndHomeIsDownOnceEach) {
  EXPECT_EQ(see(Place::kAway, 0s), Wanted::kAsItIs);
  EXPECT_EQ(policy_.held_until(), base::Time(5s));
  EXPECT_EQ(see(Place::kAway, 5s), Wanted::kUp);
  EXPECT_EQ(policy_.held_until(), std::nullopt);
  // A user's `anubis down` stays.
  EXPECT_EQ(see(Place::kAway, 60s), Wanted::kAsItIs);
  EXPECT_EQ(policy_.wanted(), Wanted::kUp);

  EXPECT_EQ(see(Place::kHome, 70s), Wanted::kAsItIs);
  EXPECT_EQ(see(Place::kHome, 74s), Wanted::kAsItIs);
  EXPECT_EQ(see(Place::kHome, 75s), Wanted::kDown);
  EXPECT_EQ(see(Place::kHome, 200s), Wanted::kAsItIs);
  EXPECT_EQ(policy_.wanted(), Wanted::kDown);
}

TEST_F(PolicyTest, TheFirstPlaceIsActedUponWhicheverItIs) {
  (void)see(Place::kHome, 0s);
  EXPECT_EQ(see(Place::kHome, 5s), Wanted::kDown);
}

TEST_F(PolicyTest, BeforeAnythingIsDecidedEachPlaceIsHeldDownByItself) {
  (void)see(Place::kAway, 0s);
  EXPECT_EQ(see(Place::kHome, 3s), Wanted::kAsItIs);
  EXPECT_EQ(see(Place::kHome, 5s), Wanted::kAsItIs);
  EXPECT_EQ(see(Place::kHome, 8s), Wanted::kDown);
}

TEST_F(PolicyTest, APlaceThatFlapsIsNotActedUpon) {
  (void)see(Place::kHome, 0s);
  ASSERT_EQ(see(Place::kHome, 5s), Wanted::kDown);
  for (auto at = 10s; at < 100s; at += 4s) {
    EXPECT_EQ(see(Place::kAway, at), Wanted::kAsItIs);
    EXPECT_EQ(see(Place::kHome, at + 2s), Wanted::kAsItIs);
    EXPECT_EQ(policy_.held_until(), std::nullopt);
  }
  EXPECT_EQ(see(Place::kAway, 100s), Wanted::kAsItIs);
  EXPECT_EQ(see(Place::kAway, 105s), Wanted::kUp);
}

TEST_F(PolicyTest, OfflineAndUnknownChangeNothing) {
  (void)see(Place::kAway, 0s);
  ASSERT_EQ(see(Place::kAway, 5s), Wanted::kUp);
  for (const Place place : {Place::kOffline, Place::kUnknown}) {
    EXPECT_EQ(see(place, 10s), Wanted::kAsItIs);
    EXPECT_EQ(see(place, 100s), Wanted::kAsItIs);
    EXPECT_EQ(policy_.held_until(), std::nullopt);
    EXPECT_EQ(policy_.wanted(), Wanted::kUp);
  }
  // Back where it was: not moved.
  EXPECT_EQ(see(Place::kAway, 200s), Wanted::kAsItIs);
  EXPECT_EQ(policy_.held_until(), std::nullopt);
}

TEST_F(PolicyTest, OfflineBeginsTheHoldDownAnew) {
  (void)see(Place::kAway, 0s);
  EXPECT_EQ(see(Place::kOffline, 4s), Wanted::kAsItIs);
  EXPECT_EQ(see(Place::kAway, 5s), Wanted::kAsItIs);
  EXPECT_EQ(policy_.held_until(), base::Time(10s));
  EXPECT_EQ(see(Place::kAway, 10s), Wanted::kUp);
}

TEST_F(PolicyTest, WithoutHoldDownItIsActedUponAtOnce) {
  settings_.hold_down = 0s;
  policy_.configure(settings_);
  EXPECT_EQ(see(Place::kAway, 0s), Wanted::kUp);
  EXPECT_EQ(see(Place::kHome, 0s), Wanted::kDown);
}

TEST_F(PolicyTest, WhereNowhereIsHomePeersAreWantedAlways) {
  policy_.configure({});
  EXPECT_EQ(see(Place::kUnknown, 0s), Wanted::kUp);
  EXPECT_EQ(see(Place::kUnknown, 1s), Wanted::kAsItIs);
}

TEST_F(PolicyTest, AnotherHomeIsActedUponAgain) {
  (void)see(Place::kAway, 0s);
  ASSERT_EQ(see(Place::kAway, 5s), Wanted::kUp);
  policy_.configure(settings_);
  EXPECT_EQ(see(Place::kAway, 20s), Wanted::kAsItIs);
  EXPECT_EQ(policy_.held_until(), std::nullopt);

  settings_.home.push_back(parse_mark("MyHomeWifi").value());
  policy_.configure(settings_);
  EXPECT_EQ(policy_.wanted(), Wanted::kAsItIs);
  EXPECT_EQ(see(Place::kAway, 30s), Wanted::kAsItIs);
  EXPECT_EQ(see(Place::kAway, 35s), Wanted::kUp);

  policy_.configure({});
  EXPECT_EQ(see(Place::kUnknown, 40s), Wanted::kUp);
}

}  // namespace
}  // namespace anubis::roaming

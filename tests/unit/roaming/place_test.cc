#include "lib/roaming/place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::roaming {
namespace {

using model::Sighting;
using model::SightingKind;
using testing::HasSubstr;

const std::string kUuid = "5f1c0bd0-2a3c-4d9e-8f10-0123456789ab";
const std::string kMac = "52:54:00:12:34:56";

std::vector<Mark> marks(const std::vector<std::string>& texts) {
  std::vector<Mark> home;
  for (const std::string& text : texts) home.push_back(parse_mark(text).value());
  return home;
}

Sighting address(const std::string& text, const std::string& link = "eth0") {
  return {.kind = SightingKind::kAddress, .link = link, .is_uplink = true, .address = *model::IpAddress::parse(text)};
}

Sighting on_bridge(const std::string& text) {
  Sighting sighting = address(text, "docker0");
  sighting.is_uplink = false;
  return sighting;
}

Sighting gateway(const std::string& text, const std::string& mac) {
  return {.kind = SightingKind::kDefaultRoute,
          .link = "eth0",
          .is_uplink = true,
          .address = *model::IpAddress::parse(text),
          .mac = *model::MacAddress::parse(mac)};
}

Sighting resolving_gateway(const std::string& text) {
  Sighting sighting = gateway(text, kMac);
  sighting.mac.reset();
  sighting.is_resolving = true;
  return sighting;
}

Sighting route_without_gateway() { return {.kind = SightingKind::kDefaultRoute, .link = "ppp0", .is_uplink = true}; }

TEST(Locate, AGatewaysMacAddressIsHomeWhateverItsIpAddressIs) {
  const auto home = marks({kMac});
  const auto there = locate(home, {{address("10.0.0.9"), gateway("10.0.0.1", kMac)}, {}});
  EXPECT_EQ(there.place, Place::kHome);
  EXPECT_EQ(there.reason, "gateway 52:54:00:12:34:56 (10.0.0.1 on eth0)");
  EXPECT_EQ(locate(home, {{address("10.0.0.9"), gateway("10.0.0.1", "52:54:00:12:34:57")}, {}}).place, Place::kAway);
}

TEST(Locate, AnAddressWithinARangeIsHome) {
  const auto home = marks({"192.168.7.0/24", "2001:db8:7::/64"});
  EXPECT_EQ(locate(home, {{address("192.168.7.20")}, {}}),
            (Whereabouts{Place::kHome, "address 192.168.7.20 on eth0 is within 192.168.7.0/24"}));
  EXPECT_EQ(locate(home, {{address("2001:db8:7::5")}, {}}).place, Place::kHome);
  EXPECT_EQ(locate(home, {{address("192.168.8.20")}, {}}).place, Place::kAway);
  // A gateway within the range is no address of ours.
  EXPECT_EQ(locate(home, {{address("10.0.0.9"), gateway("192.168.7.1", kMac)}, {}}).place, Place::kAway);
}

TEST(Locate, AConnectionIsHomeByItsNameOrItsUuid) {
  Surroundings here{{address("10.0.0.9")}, {{{"lo", "x"}, {"MyHomeWifi", kUuid}}}};
  EXPECT_EQ(locate(marks({"MyHomeWifi"}), here), (Whereabouts{Place::kHome, "connection MyHomeWifi"}));
  EXPECT_EQ(locate(marks({kUuid}), here).place, Place::kHome);
  EXPECT_EQ(locate(marks({"5F1C0BD0-2A3C-4D9E-8F10-0123456789AB"}), here).place, Place::kHome);
  EXPECT_EQ(locate(marks({"myhomewifi"}), here).place, Place::kAway);
  EXPECT_EQ(locate(marks({"MyHome"}), here).place, Place::kAway);
}

TEST(Locate, OneMarkOfSeveralIsEnough) {
  const auto home = marks({"MyHomeWifi", kMac, "192.168.7.0/24"});
  EXPECT_EQ(locate(home, {{address("192.168.7.20"), resolving_gateway("192.168.7.1")}, {}}).place, Place::kHome);
}

TEST(Locate, AGatewayThatIsBeingResolvedIsNoReasonToBeAway) {
  const Surroundings here{{address("10.0.0.9"), resolving_gateway("10.0.0.1")}, {}};
  const auto found = locate(marks({kMac}), here);
  EXPECT_EQ(found.place, Place::kUnknown);
  EXPECT_TRUE(found.is_soon_known);
  EXPECT_THAT(found.reason, HasSubstr("10.0.0.1 on eth0"));
  // Where home has no gateway's mark, it does not matter.
  EXPECT_EQ(locate(marks({"192.168.7.0/24"}), here).place, Place::kAway);
  // Nor does a route that has no gateway to resolve.
  EXPECT_EQ(locate(marks({kMac}), {{address("10.0.0.9"), route_without_gateway()}, {}}).place, Place::kAway);
}

TEST(Locate, ConnectionsThatNobodyHasToldAreNoReasonToBeAway) {
  const auto found = locate(marks({"MyHomeWifi"}), {{address("10.0.0.9")}, {}});
  EXPECT_EQ(found.place, Place::kUnknown);
  EXPECT_FALSE(found.is_soon_known);
  EXPECT_EQ(locate(marks({"MyHomeWifi"}), {{address("10.0.0.9")}, {{}}}).place, Place::kAway);
  EXPECT_EQ(locate(marks({"192.168.7.0/24"}), {{address("10.0.0.9")}, {}}).place, Place::kAway);
}

TEST(Locate, WithoutAnAddressTheHostIsOffline) {
  const auto home = marks({"192.168.7.0/24", kMac, "MyHomeWifi"});
  EXPECT_EQ(locate(home, {{}, {{}}}).place, Place::kOffline);
  EXPECT_EQ(locate(home, {{route_without_gateway()}, {{}}}).place, Place::kOffline);
  // Containers are no network to be at...
  EXPECT_EQ(locate(marks({"192.168.7.0/24"}), {{on_bridge("172.17.0.1")}, {}}).place, Place::kOffline);
  // ... unless the bridge is what leads out.
  Sighting out = gateway("172.17.0.254", kMac);
  out.link = "docker0";
  EXPECT_EQ(locate(marks({"192.168.7.0/24"}), {{on_bridge("172.17.0.1"), out}, {}}).place, Place::kAway);
  EXPECT_EQ(locate(marks({"172.17.0.0/16"}), {{on_bridge("172.17.0.1")}, {}}).place, Place::kHome);
}

TEST(Locate, WithoutAnyDefaultRouteAGatewaysMarkCannotSayAway) {
  EXPECT_EQ(locate(marks({kMac}), {{address("10.0.0.9")}, {}}).place, Place::kOffline);
}

TEST(Locate, WhereNothingIsHomeThePlaceIsUnknown) {
  EXPECT_EQ(locate({}, {{address("10.0.0.9")}, {{}}}).place, Place::kUnknown);
}

}  // namespace
}  // namespace anubis::roaming

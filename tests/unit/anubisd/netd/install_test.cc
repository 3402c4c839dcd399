// Installing and removing sessions, and all that can go wrong on the way.
#include <cerrno>

#include "tests/support/preshared_key.h"
#include "tests/unit/anubisd/netd/fake_host.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using test::preshared_key;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr const char* kSideRoute = "fd77::/16 anubis0 254";

class Install : public FakeHostTest {
 protected:
  PeerIndex jacinth() { return add_peer(peer("jacinth", 1, {"10.44.1.0/24", "10.44.2.0/24"})); }
  static crypto::PublicKey key(unsigned number) { return public_key(2 * number); }
  // A peer that somebody put there by hand.
  void add_foreign(unsigned number, const std::vector<model::IpPrefix>& allowed_ips) {
    const wireguard::PeerChange change{.public_key = key(number), .allowed_ips = allowed_ips};
    ASSERT_THAT(production().apply(std::span(&change, 1)), IsEmpty());
  }
  static InstallRequest to(PeerIndex index) { return {.peer = index, .endpoint = endpoint("192.0.2.1:4296")}; }
};

TEST_F(Install, GivesThePeerWhatTheConfigurationSays) {
  auto configured = peer("jacinth", 1, {"10.44.1.0/24", "fd44:1::/64"});
  configured.persistent_keepalive = 15;
  const auto index = add_peer(configured);
  bring_up();
  EXPECT_EQ(netd_->install(to(index)).value(), Presence::kCreated);
  const auto state = production().peer(key(1)).value();
  EXPECT_EQ(state.endpoint, endpoint("192.0.2.1:4296"));
  EXPECT_THAT(state.allowed_ips, UnorderedElementsAre(prefix("10.44.1.0/24"), prefix("fd44:1::/64")));
  EXPECT_EQ(state.persistent_keepalive, 15);
  EXPECT_THAT(routes(), ElementsAre("10.44.1.0/24 wg0 214", "fd44:1::/64 wg0 214", kSideRoute));
  ASSERT_TRUE(netd_->remove(index));
  EXPECT_FALSE(production().peer(key(1)));
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
}

TEST_F(Install, FoundPeerThatIsRightIsNotWritten) {
  const auto index = jacinth();
  bring_up();
  ASSERT_TRUE(netd_->install(to(index)));
  const auto batches = production().batches();
  EXPECT_EQ(netd_->install(to(index)).value(), Presence::kFound);
  EXPECT_EQ(netd_->install({.peer = index}).value(), Presence::kFound);
  EXPECT_EQ(production().batches(), batches);
}

TEST_F(Install, FoundPeerWithAnotherEndpointKeepsItsSession) {
  const auto index = jacinth();
  bring_up();
  ASSERT_TRUE(netd_->install(to(index)));
  production().complete_handshake(key(1), wireguard::HandshakeTime(std::chrono::seconds(5)));
  auto request = to(index);
  request.endpoint = endpoint("192.0.2.9:4296");
  EXPECT_EQ(netd_->install(request).value(), Presence::kFound);
  EXPECT_EQ(production().peer(key(1))->endpoint, endpoint("192.0.2.9:4296"));
  EXPECT_NE(production().peer(key(1))->latest_handshake, wireguard::HandshakeTime{});
}

TEST_F(Install, RecreatingForgetsTheSession) {
  const auto index = jacinth();
  bring_up();
  ASSERT_TRUE(netd_->install(to(index)));
  production().complete_handshake(key(1), wireguard::HandshakeTime(std::chrono::seconds(5)));
  EXPECT_EQ(netd_->install({.peer = index, .recreate = true}).value(), Presence::kFound);
  const auto state = production().peer(key(1)).value();
  EXPECT_EQ(state.latest_handshake, wireguard::HandshakeTime{});
  EXPECT_EQ(state.endpoint, endpoint("192.0.2.1:4296"));  // none given: as it was
}

TEST_F(Install, ANewPresharedKeyIsSetWithoutDisturbingTheSession) {
  const auto index = jacinth();
  bring_up();
  auto request = to(index);
  request.preshared_key = preshared_key(1);
  ASSERT_TRUE(netd_->install(request));
  production().complete_handshake(key(1), wireguard::HandshakeTime(std::chrono::seconds(5)));
  request.preshared_key = preshared_key(2);
  EXPECT_EQ(netd_->install(request).value(), Presence::kFound);
  EXPECT_TRUE(production().peer(key(1))->preshared_key->equals(*preshared_key(2)));
  EXPECT_NE(production().peer(key(1))->latest_handshake, wireguard::HandshakeTime{});
  const auto batches = production().batches();
  ASSERT_TRUE(netd_->install(request));
  EXPECT_EQ(production().batches(), batches);  // it has that one
}

TEST_F(Install, ThePresharedKeyStaysWhenNoneIsNamedAndGoesWhenItIsZero) {
  const auto index = jacinth();
  bring_up();
  auto request = to(index);
  request.preshared_key = preshared_key(1);
  ASSERT_TRUE(netd_->install(request));
  ASSERT_TRUE(netd_->install({.peer = index, .recreate = true}));
  EXPECT_TRUE(production().peer(key(1))->preshared_key->equals(*preshared_key(1)));
  ASSERT_TRUE(netd_->install({.peer = index, .preshared_key = preshared_key(0)}));
  EXPECT_FALSE(production().peer(key(1))->preshared_key);
}

// No session brings it one.
TEST_F(Install, APlainPeerHasThePresharedKeyOfTheConfigurationWhateverIsAskedFor) {
  auto configured = peer("hotel", 1, {"10.44.1.0/24"});
  configured.is_plain = true;
  configured.production_preshared_key = preshared_key(1);
  const auto index = add_peer(configured);
  bring_up();
  auto request = to(index);
  request.preshared_key = preshared_key(0);
  ASSERT_TRUE(netd_->install(request));
  EXPECT_TRUE(production().peer(key(1))->preshared_key->equals(*preshared_key(1)));
  const auto batches = production().batches();
  ASSERT_TRUE(netd_->install({.peer = index}));
  EXPECT_EQ(production().batches(), batches);
}

// It has keys of the session before, and would speak by them for 15 s.
TEST_F(Install, APlainRoamerIsCalledWhereItWasLast) {
  auto configured = peer("selen", 1, {"10.44.1.0/24"});
  configured.is_plain = true;
  configured.endpoint.reset();
  const auto index = add_peer(configured);
  bring_up();
  ASSERT_TRUE(netd_->install({.peer = index}));
  EXPECT_EQ(production().peer(key(1))->endpoint, std::nullopt);
  const wireguard::PeerChange roamed{.public_key = key(1), .endpoint = endpoint("192.0.2.3:39503")};
  ASSERT_THAT(production().apply(std::span(&roamed, 1)), IsEmpty());
  ASSERT_TRUE(netd_->report(Interface::kProduction));
  ASSERT_TRUE(netd_->remove(index));
  ASSERT_TRUE(netd_->install({.peer = index}));
  const auto state = production().peer(key(1)).value();
  EXPECT_EQ(state.endpoint, endpoint("192.0.2.3:39503"));
  EXPECT_EQ(state.persistent_keepalive, 0);  // a pulse, no more
}

TEST_F(Install, APresharedKeyOutlivesTheDeviceAndTheProcessButNotTheSession) {
  const auto index = jacinth();
  bring_up();
  ASSERT_TRUE(netd_->install({.peer = index, .preshared_key = preshared_key(1)}));
  netd_ = new_netd();
  bring_up();
  production().reappear();
  ASSERT_TRUE(netd_->bring_up(Interface::kProduction));
  ASSERT_TRUE(netd_->install({.peer = index}));
  ASSERT_TRUE(production().peer(key(1))->preshared_key);
  EXPECT_TRUE(production().peer(key(1))->preshared_key->equals(*preshared_key(1)));
  ASSERT_TRUE(netd_->remove(index));
  ASSERT_TRUE(netd_->install({.peer = index}));
  EXPECT_FALSE(production().peer(key(1))->preshared_key);
}

TEST_F(Install, InitiatingBorrowsAKeepaliveAndGivesItBack) {
  const auto index = jacinth();
  bring_up();
  auto request = to(index);
  request.initiate_handshake = true;
  ASSERT_TRUE(netd_->install(request));
  EXPECT_THAT(production().packets_sent(), ElementsAre(key(1)));
  request.initiate_handshake = false;  // the routes follow later: still borrowed
  ASSERT_TRUE(netd_->install(request));
  EXPECT_EQ(production().peer(key(1))->persistent_keepalive, 25);
  ASSERT_TRUE(netd_->handshake_done(index));
  EXPECT_EQ(production().peer(key(1))->persistent_keepalive, 0);
  const auto batches = production().batches();
  ASSERT_TRUE(netd_->handshake_done(index));
  EXPECT_EQ(production().batches(), batches);
}

TEST_F(Install, InitiatingAtAPeerWithAKeepaliveSendsOnceMoreAndLeavesItOn) {
  auto configured = peer("jacinth", 1, {"10.44.1.0/24"});
  configured.persistent_keepalive = 15;
  const auto index = add_peer(configured);
  bring_up();
  ASSERT_TRUE(netd_->install(to(index)));
  EXPECT_THAT(production().packets_sent(), ElementsAre(key(1)));  // by itself
  ASSERT_TRUE(netd_->install({.peer = index, .initiate_handshake = true}));
  EXPECT_THAT(production().packets_sent(), ElementsAre(key(1), key(1)));
  ASSERT_TRUE(netd_->handshake_done(index));
  EXPECT_EQ(production().peer(key(1))->persistent_keepalive, 15);
}

TEST_F(Install, EarlyPeerHasNoRoutesUntilTheyAreAskedFor) {
  const auto index = jacinth();
  bring_up();
  auto request = to(index);
  request.with_routes = false;
  ASSERT_TRUE(netd_->install(request));
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
  ASSERT_TRUE(netd_->bring_up(Interface::kProduction));  // healing makes no routes that nobody asked for
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
  request.with_routes = true;
  ASSERT_TRUE(netd_->install(request));
  EXPECT_THAT(routes(), ElementsAre("10.44.1.0/24 wg0 214", "10.44.2.0/24 wg0 214", kSideRoute));
}

TEST_F(Install, F32ForeignHolderOfAnAllowedIpIsToldAndUntouched) {
  const auto index = jacinth();
  bring_up();
  add_foreign(9, {prefix("10.44.2.0/24")});
  const auto refused = netd_->install(to(index));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr(key(9).brief()));
  EXPECT_THAT(production().peer(key(9))->allowed_ips, ElementsAre(prefix("10.44.2.0/24")));
  EXPECT_FALSE(production().peer(key(1)));
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
}

TEST_F(Install, F32MemberOfTheSameGroupHasToGoFirst) {
  auto first = peer("jacinth", 1, {"0.0.0.0/0"});
  auto second = peer("opal", 2, {"0.0.0.0/0"});
  first.group = second.group = "gateways";
  const auto jacinth = add_peer(first);
  const auto opal = add_peer(second);
  bring_up();
  ASSERT_TRUE(netd_->install(to(jacinth)));
  const auto refused = netd_->install(to(opal));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr("anubis switch opal"));
  EXPECT_THAT(production().peer(key(1))->allowed_ips, ElementsAre(prefix("0.0.0.0/0")));
  ASSERT_TRUE(netd_->remove(jacinth));
  EXPECT_TRUE(netd_->install(to(opal)));
}

TEST_F(Install, F33LongerPrefixInsideAnothersIsNoConflict) {
  const auto wide = add_peer(peer("jacinth", 1, {"10.0.0.0/8"}));
  const auto narrow = add_peer(peer("opal", 2, {"10.44.1.0/24"}));
  bring_up();
  ASSERT_TRUE(netd_->install(to(wide)));
  ASSERT_TRUE(netd_->install(to(narrow)));
  EXPECT_THAT(production().peer(key(1))->allowed_ips, ElementsAre(prefix("10.0.0.0/8")));
}

TEST_F(Install, F42FailureInTheMiddleOfTheAllowedIpsLeavesNothing) {
  const auto index = jacinth();
  bring_up();
  production().fail_at_allowed_ip(1);
  const auto failed = netd_->install(to(index));
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("out of memory"));
  production().clear_faults();
  EXPECT_FALSE(production().peer(key(1)));
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
  EXPECT_THAT(netd_->installed_peers().value(), IsEmpty());
  EXPECT_EQ(netd_->install(to(index)).value(), Presence::kCreated);
}

TEST_F(Install, F42RefusedRouteTakesThePeerAndTheOtherRoutesBack) {
  const auto index = jacinth();
  bring_up();
  network_.fail_route(prefix("10.44.2.0/24"), {ErrorCode::kFull, "no memory"});
  const auto failed = netd_->install(to(index));
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("no memory"));
  EXPECT_FALSE(production().peer(key(1)));
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
}

TEST_F(Install, F42FailedChangeLeavesTheSessionAsItWas) {
  const auto index = jacinth();
  bring_up();
  ASSERT_TRUE(netd_->install(to(index)));
  auto grown = peer("jacinth", 1, {"10.44.1.0/24", "10.44.2.0/24", "10.44.3.0/24"});
  change_peers({grown});
  network_.fail_route(prefix("10.44.3.0/24"), {ErrorCode::kFull, "no memory"});
  ASSERT_FALSE(netd_->install(to(index)));
  EXPECT_THAT(production().peer(key(1))->allowed_ips,
              UnorderedElementsAre(prefix("10.44.1.0/24"), prefix("10.44.2.0/24")));
  EXPECT_EQ(production().peer(key(1))->endpoint, endpoint("192.0.2.1:4296"));
  EXPECT_THAT(routes(), ElementsAre("10.44.1.0/24 wg0 214", "10.44.2.0/24 wg0 214", kSideRoute));
}

TEST_F(Install, ForeignRouteInTheWayIsNamedAndNothingStays) {
  const auto index = jacinth();
  bring_up();
  network::Route foreign;
  foreign.prefix = prefix("10.44.2.0/24");
  foreign.table = 214;
  foreign.ifindex = network_.add_link({.index = 0, .name = "eth0", .kind = "", .mtu = 1500, .up = true, .alias = ""});
  foreign.protocol = 4;
  network_.add_foreign_route(foreign);
  const auto failed = netd_->install(to(index));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kExists);
  EXPECT_FALSE(production().peer(key(1)));
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
  EXPECT_THAT(network_.routes({.protocol = 4, .table = 214}).value(), ElementsAre(foreign));
}

TEST_F(Install, F43LostAnswerIsNoSuccess) {
  const auto index = jacinth();
  bring_up();
  production().lose_answers(1);  // done, but nobody knows
  ASSERT_FALSE(netd_->install(to(index)));
  EXPECT_FALSE(production().peer(key(1)));
  EXPECT_THAT(netd_->installed_peers().value(), IsEmpty());
}

TEST_F(Install, F43LostAnswersToSettingAndTakingBackAreLookedAfter) {
  const auto index = jacinth();
  bring_up();
  production().lose_answers(2);
  ASSERT_FALSE(netd_->install(to(index)));
  EXPECT_THAT(netd_->installed_peers().value(), IsEmpty());
  EXPECT_EQ(netd_->install(to(index)).value(), Presence::kCreated);
  ASSERT_TRUE(netd_->remove(index));
  EXPECT_FALSE(production().peer(key(1)));
}

TEST_F(Install, F50FullDeviceIsACleanError) {
  const auto index = jacinth();
  bring_up();
  production().limit_peers(0);
  const auto failed = netd_->install(to(index));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kFull);
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
}

TEST_F(Install, F44DisturbedDumpsAreTakenAgainAndBounded) {
  const auto index = jacinth();
  bring_up();
  production().disturb_dumps(3);
  EXPECT_TRUE(netd_->install(to(index)));
  ASSERT_TRUE(netd_->remove(index));
  production().disturb_dumps(1000);
  const auto failed = netd_->install(to(index));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kBusy);
  production().clear_faults();
  EXPECT_TRUE(netd_->install(to(index)));
}

TEST_F(Install, ManyPeersAreNotDumpedForOneRequest) {
  const auto index = jacinth();
  bring_up();
  for (unsigned number = 100; number < 200; ++number)
    add_foreign(number, {prefix("10.50." + std::to_string(number) + ".0/24")});
  ASSERT_TRUE(netd_->bring_up(Interface::kProduction));
  const auto dumps = production().dumps();
  ASSERT_TRUE(netd_->install(to(index)));
  ASSERT_TRUE(netd_->remove(index));
  EXPECT_EQ(production().dumps(), dumps);
}

TEST_F(Install, HostWithoutIPv6GetsTheIPv4HalfButNotAnEmptySession) {
  const auto both = add_peer(peer("jacinth", 1, {"10.44.1.0/24", "fd44:1::/64"}));
  const auto six = add_peer(peer("opal", 2, {"fd44:2::/64"}));
  config_.side.address = ip("10.77.0.2");
  network_.lack_ipv6();
  bring_up();
  ASSERT_TRUE(netd_->install(to(both)));
  EXPECT_THAT(routes(), Contains("10.44.1.0/24 wg0 214"));
  ASSERT_TRUE(netd_->bring_up(Interface::kProduction));
  const auto failed = netd_->install(to(six));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kUnsupported);
  EXPECT_FALSE(production().peer(key(2)));
}

TEST_F(Install, UnknownPeerAndInterfaceThatIsNotUpAreErrors) {
  const auto index = jacinth();
  netd_ = new_netd();
  EXPECT_EQ(netd_->install(to(index)).error().code, ErrorCode::kNotFound);
  bring_up();
  EXPECT_EQ(netd_->install(to(PeerIndex{99})).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(netd_->remove(PeerIndex{99}));
}

TEST_F(Install, VanishedInterfaceIsAnErrorForInstallButNotForRemove) {
  const auto index = jacinth();
  bring_up();
  ASSERT_TRUE(netd_->install(to(index)));
  production().vanish();
  ASSERT_TRUE(network_.delete_link(ifindex("wg0")));
  EXPECT_FALSE(netd_->install(to(index)));
  EXPECT_TRUE(netd_->remove(index));
}

TEST_F(Install, PeerWithFewerAllowedIpsThanBeforeLosesTheRoutes) {
  const auto index = jacinth();
  bring_up();
  ASSERT_TRUE(netd_->install(to(index)));
  const auto changes = change_peers({peer("jacinth", 1, {"10.44.2.0/24"})});
  ASSERT_TRUE(netd_->apply_changes(changes));
  EXPECT_THAT(netd_->installed_peers().value(), IsEmpty());  // stands there, but no longer as it is to be
  EXPECT_EQ(netd_->install(to(index)).value(), Presence::kFound);
  EXPECT_THAT(production().peer(key(1))->allowed_ips, ElementsAre(prefix("10.44.2.0/24")));
  EXPECT_THAT(routes(), ElementsAre("10.44.2.0/24 wg0 214", kSideRoute));
}

// Whoever is killed in between leaves a peer that the configuration does not name. Its routes show that it was ours.
TEST_F(Install, F40APeerThatIsNoLongerAuthorisedGoesBeforeItsRoutes) {
  const auto index = jacinth();
  bring_up();
  ASSERT_TRUE(netd_->install(to(index)));
  const auto changes = change_peers({});
  production().lose_answers(1);
  ASSERT_FALSE(netd_->apply_changes(changes));
  EXPECT_THAT(routes(), ElementsAre("10.44.1.0/24 wg0 214", "10.44.2.0/24 wg0 214", kSideRoute));
  netd_ = new_netd();
  bring_up();
  EXPECT_FALSE(production().peer(key(1)));
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
}

// Killed after WireGuard's handshake and before the routes, which cannot be had.
TEST_F(Install, F40WhatCannotBeCompletedDoesNotKeepTheNextProcessFromStarting) {
  const auto index = jacinth();
  const auto other = add_peer(peer("opal", 2, {"10.44.9.0/24"}));
  bring_up();
  ASSERT_TRUE(netd_->install({.peer = index, .with_routes = false}));
  ASSERT_TRUE(netd_->install({.peer = other}));
  production().complete_handshake(key(1),
                                  wireguard::HandshakeTime(std::chrono::sys_days{std::chrono::year{2026} / 5 / 1}));
  network::Route foreign;
  foreign.prefix = prefix("10.44.2.0/24");
  foreign.table = 214;
  foreign.ifindex = network_.add_link({.index = 0, .name = "eth0", .kind = "", .mtu = 1500, .up = true, .alias = ""});
  foreign.protocol = 4;
  network_.add_foreign_route(foreign);
  netd_ = new_netd();
  bring_up();
  EXPECT_FALSE(production().peer(key(1)));
  EXPECT_THAT(netd_->installed_peers().value(), ElementsAre(other));
  EXPECT_THAT(routes(), ElementsAre("10.44.9.0/24 wg0 214", kSideRoute));
}

}  // namespace
}  // namespace anubis::netd

// What others do to what is ours: put right by the least change, and told.
#include "anubisd/netd/drift.h"

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
using testing::SizeIs;
using testing::UnorderedElementsAre;
using wireguard::PeerAction;
using wireguard::PeerChange;

constexpr const char* kSideRoute = "fd77::/16 anubis0 254";

Drift of_peer(DriftKind kind, PeerIndex peer, Interface which = Interface::kProduction) {
  return {.kind = kind, .interface = which, .peer = peer};
}
Drift of(DriftKind kind, Interface which = Interface::kProduction) {
  return {.kind = kind, .interface = which, .peer = {}};
}

class DriftTest : public FakeHostTest {
 protected:
  static crypto::PublicKey key(unsigned number) { return public_key(2 * number); }
  static crypto::PublicKey side_key(unsigned number) { return public_key(2 * number + 1); }
  // By `wg set`.
  static void set(wireguard::testing::FakeDevice& device, const PeerChange& change) {
    ASSERT_THAT(device.apply(std::span(&change, 1)), IsEmpty());
  }
  static void remove(wireguard::testing::FakeDevice& device, const crypto::PublicKey& peer) {
    set(device, {.public_key = peer, .action = PeerAction::kRemove});
  }
  PeerIndex install(const model::Peer& peer, const std::string& at = "192.0.2.1:4296") {
    const auto index = directory_.find_by_name(peer.name).value();
    EXPECT_TRUE(netd_->install({.peer = index, .endpoint = endpoint(at), .preshared_key = preshared_key(1)}));
    return index;
  }
  // jacinth is up, and nothing has happened.
  PeerIndex jacinth_is_up() {
    const auto jacinth = peer("jacinth", 1, {"10.44.1.0/24", "fd44:1::/64"});
    add_peer(jacinth);
    bring_up();
    const auto index = install(jacinth);
    EXPECT_THAT(check(), IsEmpty());
    return index;
  }
  std::vector<Drift> check(Interface which = Interface::kProduction) {
    const auto report = netd_->bring_up(which);
    EXPECT_TRUE(report) << report.error().message;
    return netd_->take_drift();
  }
  std::string refusal(Interface which = Interface::kProduction) {
    const auto report = netd_->bring_up(which);
    return report ? "" : report.error().message;
  }
  void change_link(const std::string& name, const network::LinkSettings& settings) {
    ASSERT_TRUE(network_.set_link(ifindex(name), settings));
  }
  void remove_routes(const model::IpPrefix& to) {
    const auto ours = network_.routes({.protocol = network::kRouteProtocol, .table = {}}).value();
    for (const auto& route : ours) {
      if (route.prefix == to) {
        ASSERT_THAT(network_.remove_routes(std::span(&route, 1)), IsEmpty());
      }
    }
  }
};

// --- sessions

TEST_F(DriftTest, F48PeerThatSomebodyRemovedIsBackWithAllThatItHadAndShakesHandsAtOnce) {
  const auto jacinth = jacinth_is_up();
  production().roam(key(1), endpoint("203.0.113.5:51820"));
  EXPECT_THAT(check(), IsEmpty());  // sees where it is now
  remove(production(), key(1));
  const auto sent = production().packets_sent().size();
  EXPECT_THAT(check(), ElementsAre(of_peer(DriftKind::kPeerRemoved, jacinth)));
  const auto state = production().peer(key(1)).value();
  EXPECT_EQ(state.endpoint, endpoint("203.0.113.5:51820"));
  EXPECT_THAT(state.allowed_ips, UnorderedElementsAre(prefix("10.44.1.0/24"), prefix("fd44:1::/64")));
  EXPECT_TRUE(state.preshared_key->equals(*preshared_key(1)));
  EXPECT_EQ(state.persistent_keepalive, 0);
  EXPECT_EQ(production().packets_sent().size(), sent + 1);
  EXPECT_THAT(netd_->installed_peers().value(), ElementsAre(jacinth));
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(DriftTest, AReportShowsWhereAPeerIsToo) {
  const auto jacinth = jacinth_is_up();
  production().roam(key(1), endpoint("203.0.113.5:51820"));
  ASSERT_TRUE(netd_->report(Interface::kProduction, jacinth));
  remove(production(), key(1));
  EXPECT_THAT(check(), SizeIs(1));
  EXPECT_EQ(production().peer(key(1))->endpoint, endpoint("203.0.113.5:51820"));
}

TEST_F(DriftTest, WhatMatchesIsNotWrittenAndRoamingIsNoDrift) {
  jacinth_is_up();
  production().roam(key(1), endpoint("203.0.113.5:51820"));
  const auto batches = production().batches();
  EXPECT_THAT(check(), IsEmpty());
  EXPECT_EQ(production().batches(), batches);
  EXPECT_EQ(production().peer(key(1))->endpoint, endpoint("203.0.113.5:51820"));
}

TEST_F(DriftTest, AllowedIpsThatAnotherPeerGotAreTakenBackAndTheRestIsLeftToIt) {
  const auto jacinth = jacinth_is_up();
  set(production(), {.public_key = key(40), .allowed_ips = {{prefix("10.44.1.0/24"), prefix("10.50.0.0/16")}}});
  EXPECT_THAT(check(), ElementsAre(of_peer(DriftKind::kAllowedIps, jacinth)));
  EXPECT_THAT(production().peer(key(1))->allowed_ips,
              UnorderedElementsAre(prefix("10.44.1.0/24"), prefix("fd44:1::/64")));
  EXPECT_EQ(production().peer(key(1))->endpoint, endpoint("192.0.2.1:4296"));
  EXPECT_THAT(production().peer(key(40))->allowed_ips, ElementsAre(prefix("10.50.0.0/16")));
}

TEST_F(DriftTest, AllowedIpsThatSomebodyAddedGo) {
  const auto jacinth = jacinth_is_up();
  set(production(), {.public_key = key(1), .allowed_ips = {{prefix("0.0.0.0/0")}}});
  EXPECT_THAT(check(), ElementsAre(of_peer(DriftKind::kAllowedIps, jacinth)));
  EXPECT_THAT(production().peer(key(1))->allowed_ips,
              UnorderedElementsAre(prefix("10.44.1.0/24"), prefix("fd44:1::/64")));
}

TEST_F(DriftTest, APeerThatSomebodyAddedStaysAndIsNoDrift) {
  jacinth_is_up();
  set(production(), {.public_key = key(40), .allowed_ips = {{prefix("10.50.0.0/16")}}});
  EXPECT_THAT(check(), IsEmpty());
  EXPECT_TRUE(production().peer(key(40)));
}

TEST_F(DriftTest, KeepaliveIsPutBack) {
  const auto jacinth = jacinth_is_up();
  set(production(), {.public_key = key(1), .persistent_keepalive = 7});
  EXPECT_THAT(check(), ElementsAre(of_peer(DriftKind::kKeepalive, jacinth)));
  EXPECT_EQ(production().peer(key(1))->persistent_keepalive, 0);
}

TEST_F(DriftTest, ABorrowedKeepaliveIsNoDriftAndEndsOnceItHasServed) {
  add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  ASSERT_TRUE(
      netd_->install({.peer = PeerIndex{0}, .endpoint = endpoint("192.0.2.1:4296"), .initiate_handshake = true}));
  EXPECT_THAT(check(), IsEmpty());
  EXPECT_EQ(production().peer(key(1))->persistent_keepalive, 25);
  production().complete_handshake(key(1), wireguard::HandshakeTime(std::chrono::seconds(5)));
  EXPECT_THAT(check(), IsEmpty());
  EXPECT_EQ(production().peer(key(1))->persistent_keepalive, 0);
}

TEST_F(DriftTest, PresharedKeyIsPutBackAndThePeerShakesHandsAtOnce) {
  const auto jacinth = jacinth_is_up();
  set(production(), {.public_key = key(1), .preshared_key = preshared_key(9)});
  const auto sent = production().packets_sent().size();
  EXPECT_THAT(check(), ElementsAre(of_peer(DriftKind::kPresharedKey, jacinth)));
  EXPECT_TRUE(production().peer(key(1))->preshared_key->equals(*preshared_key(1)));
  EXPECT_EQ(production().packets_sent().size(), sent + 1);
}

TEST_F(DriftTest, PeerThatSomebodyRemovedIsToldOfEvenWhenAnInstallationBringsItBackFirst) {
  const auto jacinth = jacinth_is_up();
  remove(production(), key(1));
  ASSERT_TRUE(netd_->install({.peer = jacinth, .initiate_handshake = true, .with_routes = false}));  // as a nudge does
  EXPECT_THAT(netd_->take_drift(), ElementsAre(of_peer(DriftKind::kPeerRemoved, jacinth)));
  ASSERT_TRUE(netd_->install({.peer = jacinth, .initiate_handshake = true, .with_routes = false}));
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(DriftTest, SessionThatCouldNotBeMadeAgainIsTriedAgainAndToldOnlyThen) {
  const auto jacinth = jacinth_is_up();
  remove(production(), key(1));
  production().fail_at_allowed_ip(1);
  EXPECT_THAT(refusal(), HasSubstr("out of memory"));
  EXPECT_THAT(netd_->take_drift(), IsEmpty());
  production().clear_faults();
  EXPECT_THAT(check(), ElementsAre(of_peer(DriftKind::kPeerRemoved, jacinth)));
}

TEST_F(DriftTest, OneSessionThatCannotBeHealedDoesNotKeepTheOthersFromIt) {
  const auto jacinth = peer("jacinth", 1, {"10.44.1.0/24"});
  const auto opal = peer("opal", 2, {"10.44.2.0/24"});
  add_peer(jacinth);
  add_peer(opal);
  bring_up();
  install(jacinth);
  const auto other = install(opal);
  remove(production(), key(1));
  remove(production(), key(2));
  production().fail_peer_at_allowed_ip(key(1), 0);
  EXPECT_THAT(refusal(), HasSubstr("out of memory"));
  EXPECT_THAT(netd_->take_drift(), ElementsAre(of_peer(DriftKind::kPeerRemoved, other)));
}

TEST_F(DriftTest, WhatWasTakenDownMeanwhileDoesNotComeBack) {
  const auto jacinth = jacinth_is_up();
  remove(production(), key(1));
  ASSERT_TRUE(netd_->remove(jacinth));
  EXPECT_THAT(check(), IsEmpty());
  EXPECT_FALSE(production().peer(key(1)));
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
}

TEST_F(DriftTest, ARemovalThatFailedIsDoneAtTheNextLook) {
  const auto jacinth = jacinth_is_up();
  production().lose_answers(1000);
  ASSERT_FALSE(netd_->remove(jacinth));
  production().clear_faults();
  set(production(), {.public_key = key(1), .allowed_ips = {{prefix("10.44.1.0/24")}}});  // it is there, after all
  EXPECT_THAT(check(), IsEmpty());
  EXPECT_FALSE(production().peer(key(1)));
  EXPECT_THAT(netd_->installed_peers().value(), IsEmpty());
}

// --- routes

TEST_F(DriftTest, F46RoutesOfASessionAreBackAndToldWithItsName) {
  const auto jacinth = peer("jacinth", 1, {"10.44.1.0/24", "10.44.9.0/24"});
  const auto opal = peer("opal", 2, {"10.44.2.0/24"});
  add_peer(jacinth);
  add_peer(opal);
  bring_up();
  const auto index = install(jacinth);
  install(opal);
  const auto before = routes();
  remove_routes(prefix("10.44.1.0/24"));
  EXPECT_THAT(check(), ElementsAre(of_peer(DriftKind::kRoutes, index)));
  EXPECT_EQ(routes(), before);
}

TEST_F(DriftTest, AForeignRouteInThePlaceOfOursIsToldUntilItGoes) {
  const auto jacinth = jacinth_is_up();
  remove_routes(prefix("10.44.1.0/24"));
  network::Route foreign;
  foreign.prefix = prefix("10.44.1.0/24");
  foreign.table = 214;
  foreign.ifindex = network_.add_link({.index = 0, .name = "eth0", .kind = "", .mtu = 1500, .up = true, .alias = ""});
  foreign.protocol = 3;
  network_.add_foreign_route(foreign);
  EXPECT_THAT(refusal(), HasSubstr("another route to 10.44.1.0/24 stands in its place"));
  EXPECT_THAT(network_.routes({.protocol = 3, .table = 214}).value(), SizeIs(1));
  EXPECT_THAT(netd_->take_drift(), IsEmpty());
  ASSERT_THAT(network_.remove_routes(std::span(&foreign, 1)), IsEmpty());
  EXPECT_THAT(check(), ElementsAre(of_peer(DriftKind::kRoutes, jacinth)));
}

TEST_F(DriftTest, AForeignRouteThatDoesTheSameIsNotToldAgainAndAgain) {
  jacinth_is_up();
  remove_routes(prefix("10.44.1.0/24"));
  network::Route twin;
  twin.prefix = prefix("10.44.1.0/24");
  twin.table = 214;
  twin.ifindex = ifindex("wg0");
  twin.protocol = 3;
  network_.add_foreign_route(twin);
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(DriftTest, RulesAndThrowRoutesAreBack) {
  config_.production.throw_ranges = {prefix("192.168.122.0/24")};
  jacinth_is_up();
  const auto rules = network_.rules(network::kRouteProtocol).value();
  ASSERT_TRUE(network_.remove_rule(rules.front()));
  remove_routes(prefix("192.168.122.0/24"));
  EXPECT_THAT(check(), UnorderedElementsAre(of(DriftKind::kRules), of(DriftKind::kThrowRoutes)));
  EXPECT_EQ(network_.rules(network::kRouteProtocol)->size(), rules.size());
  EXPECT_THAT(check(), IsEmpty());
}

// --- interfaces

TEST_F(DriftTest, F45SetDownIsToldOnceAndNotAsLossOfAddressesAndRoutes) {
  jacinth_is_up();
  const auto before = routes();
  const auto sent = production().packets_sent().size();
  change_link("wg0", {.mtu = {}, .up = false, .alias = {}});
  EXPECT_THAT(check(), ElementsAre(of(DriftKind::kSetDown)));
  EXPECT_EQ(routes(), before);
  EXPECT_EQ(network_.addresses(ifindex("wg0"))->size(), 2u);
  EXPECT_EQ(production().packets_sent().size(), sent + 1);  // it shakes hands again at once
}

TEST_F(DriftTest, MtuAliasAndAddressesAreAsTheyWere) {
  jacinth_is_up();
  change_link("wg0", {.mtu = 1300, .up = {}, .alias = "mine"});
  EXPECT_THAT(check(), UnorderedElementsAre(of(DriftKind::kMtu), of(DriftKind::kAlias)));
  EXPECT_EQ(network_.link("wg0").value()->mtu, 1420u);
  EXPECT_EQ(network_.link("wg0").value()->alias, "anubis");
  const auto before = routes();
  ASSERT_TRUE(network_.remove_address(ifindex("wg0"), config_.production.addresses.front()));
  EXPECT_THAT(check(), ElementsAre(of(DriftKind::kAddresses)));
  EXPECT_EQ(routes(), before);
}

TEST_F(DriftTest, PrivateKeyAndListenPortAreAsTheyWereAndSessionsBeginAnew) {
  jacinth_is_up();
  const crypto::PrivateKey other(secret(77));
  ASSERT_TRUE(production().configure({.private_key = &other, .listen_port = 5555}));
  const auto sent = production().packets_sent().size();
  EXPECT_THAT(check(), UnorderedElementsAre(of(DriftKind::kPrivateKey), of(DriftKind::kListenPort)));
  EXPECT_EQ(production().info()->public_key, config_.production.public_key);
  EXPECT_EQ(production().info()->listen_port, 4296);
  EXPECT_EQ(production().packets_sent().size(), sent + 1);
  const auto writes = production().private_key_writes();
  EXPECT_THAT(check(), IsEmpty());
  EXPECT_EQ(production().private_key_writes(), writes);
}

TEST_F(DriftTest, FirewallMarkIsAsItWasAndSessionsGoOn) {
  jacinth_is_up();
  ASSERT_EQ(production().info()->fwmark, 214u);
  ASSERT_EQ(side().info()->fwmark, 214u);
  ASSERT_TRUE(production().configure({.fwmark = 7}));
  const auto sent = production().packets_sent().size();
  EXPECT_THAT(check(), ElementsAre(of(DriftKind::kMark)));
  EXPECT_EQ(production().info()->fwmark, 214u);
  EXPECT_EQ(production().packets_sent().size(), sent);
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(DriftTest, F45DeletedInterfaceIsTold) {
  jacinth_is_up();
  ASSERT_TRUE(network_.delete_link(ifindex("wg0")));
  production().reappear();
  EXPECT_THAT(check(), ElementsAre(of(DriftKind::kDeleted)));
}

TEST_F(DriftTest, F45ReplacedInterfaceIsTold) {
  jacinth_is_up();
  ASSERT_TRUE(network_.delete_link(ifindex("wg0")));
  production().reappear();
  network_.add_link({.index = 0, .name = "wg0", .kind = "wireguard", .mtu = 1420, .up = false, .alias = ""});
  EXPECT_THAT(check(), ElementsAre(of(DriftKind::kReplaced)));
  EXPECT_TRUE(production().peer(key(1)));
}

TEST_F(DriftTest, F45RenamedInterfaceIsTold) {
  jacinth_is_up();
  const auto old = ifindex("wg0");
  network_.rename_link(old, "wg7");
  EXPECT_THAT(check(), ElementsAre(of(DriftKind::kRenamed)));
  EXPECT_FALSE(network_.link("wg7")->has_value());
}

TEST_F(DriftTest, F45InterfaceThatCannotBeBroughtBackIsLostUntilItIs) {
  const auto jacinth = jacinth_is_up();
  ASSERT_TRUE(network_.delete_link(ifindex("wg0")));
  production().reappear();
  const auto imposter =
      network_.add_link({.index = 0, .name = "wg0", .kind = "veth", .mtu = 1500, .up = true, .alias = ""});
  EXPECT_THAT(refusal(), HasSubstr("no WireGuard interface"));
  EXPECT_THAT(netd_->take_drift(), ElementsAre(of(DriftKind::kLost)));
  EXPECT_THAT(refusal(), Not(IsEmpty()));
  EXPECT_THAT(netd_->take_drift(), ElementsAre(of(DriftKind::kLost)));
  ASSERT_TRUE(network_.delete_link(imposter));
  EXPECT_THAT(check(), ElementsAre(of(DriftKind::kDeleted)));
  EXPECT_THAT(netd_->installed_peers().value(), ElementsAre(jacinth));
}

TEST_F(DriftTest, F45ForeignInterfaceInThePlaceOfOursKeepsItsPeers) {
  const auto jacinth = jacinth_is_up();
  ASSERT_TRUE(network_.delete_link(ifindex("wg0")));
  production().reappear();
  network_.add_link({.index = 0, .name = "wg0", .kind = "wireguard", .mtu = 1400, .up = true, .alias = ""});
  set(production(), {.public_key = key(40), .allowed_ips = {{prefix("10.44.1.0/24")}}});
  EXPECT_THAT(refusal(), HasSubstr("10.44.1.0/24 belongs to a peer on wg0 that is not in the configuration"));
  EXPECT_THAT(production().peer(key(40))->allowed_ips, ElementsAre(prefix("10.44.1.0/24")));
  EXPECT_EQ(network_.link("wg0").value()->mtu, 1400u);
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
  remove(production(), key(40));
  EXPECT_TRUE(netd_->bring_up(Interface::kProduction));
  EXPECT_THAT(netd_->installed_peers().value(), ElementsAre(jacinth));
}

TEST_F(DriftTest, WhatNobodyDidIsNotTold) {
  add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  EXPECT_THAT(netd_->take_drift(), IsEmpty());
  // A reload.
  ASSERT_TRUE(netd_->apply_changes(change_peers({peer("opal", 2, {"10.44.2.0/24"})})));
  EXPECT_THAT(check(Interface::kSide), IsEmpty());
  EXPECT_THAT(check(), IsEmpty());
}

// --- the side interface

TEST_F(DriftTest, SidePeerThatSomebodyRemovedIsBackWhereItWas) {
  auto roamer = peer("roamer", 1, {"10.44.1.0/24"});
  roamer.side_endpoint.reset();
  const auto index = add_peer(roamer);
  bring_up();
  side().roam(side_key(1), endpoint("203.0.113.5:4297"));
  EXPECT_THAT(check(Interface::kSide), IsEmpty());
  remove(side(), side_key(1));
  const auto sent = side().packets_sent().size();
  EXPECT_THAT(check(Interface::kSide), ElementsAre(of_peer(DriftKind::kPeerRemoved, index, Interface::kSide)));
  EXPECT_EQ(side().peer(side_key(1))->endpoint, endpoint("203.0.113.5:4297"));
  EXPECT_EQ(side().peer(side_key(1))->persistent_keepalive, 0);
  EXPECT_EQ(side().packets_sent().size(), sent + 1);
}

TEST_F(DriftTest, SidePeerThatSomebodyChangedIsPutRightInItsPlace) {
  const auto index = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  side().roam(side_key(1), endpoint("203.0.113.5:4297"));
  side().complete_handshake(side_key(1), wireguard::HandshakeTime(std::chrono::seconds(5)));
  set(side(), {.public_key = side_key(1), .allowed_ips = {{prefix("::/0")}}});
  EXPECT_THAT(check(Interface::kSide), ElementsAre(of_peer(DriftKind::kAllowedIps, index, Interface::kSide)));
  set(side(), {.public_key = side_key(1), .persistent_keepalive = 1, .preshared_key = preshared_key(9)});
  EXPECT_THAT(check(Interface::kSide),
              UnorderedElementsAre(of_peer(DriftKind::kKeepalive, index, Interface::kSide),
                                   of_peer(DriftKind::kPresharedKey, index, Interface::kSide)));
  const auto state = side().peer(side_key(1)).value();
  EXPECT_THAT(state.allowed_ips, ElementsAre(model::IpPrefix(directory_.get(index)->side_address, 128)));
  EXPECT_EQ(state.endpoint, endpoint("203.0.113.5:4297"));
  EXPECT_NE(state.latest_handshake, wireguard::HandshakeTime{});
  EXPECT_EQ(state.persistent_keepalive, 25);
  EXPECT_FALSE(state.preshared_key);
}

TEST_F(DriftTest, StrangersOnOurSideInterfaceGoAndItsRouteIsBack) {
  add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  set(side(), {.public_key = key(40), .allowed_ips = {{prefix("fd77::40/128")}}});
  remove_routes(prefix("fd77::/16"));
  EXPECT_THAT(check(Interface::kSide),
              UnorderedElementsAre(of(DriftKind::kThrowRoutes), of(DriftKind::kStrangers, Interface::kSide),
                                   of(DriftKind::kRoutes, Interface::kSide)));
  EXPECT_FALSE(side().peer(key(40)));
  EXPECT_THAT(routes(), ElementsAre(kSideRoute));
}

// --- the queue

TEST(DriftQueueTest, TellsTheSameOnceAndCountsWhatDoesNotFit) {
  DriftQueue queue;
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t peer = 0; peer < 64; ++peer) queue.tell(of_peer(DriftKind::kRoutes, PeerIndex{peer}));
  }
  queue.tell(of(DriftKind::kRules));
  queue.tell(of(DriftKind::kMtu));
  const auto taken = queue.take();
  ASSERT_THAT(taken, SizeIs(65));
  EXPECT_EQ(taken.back().kind, DriftKind::kUntold);
  EXPECT_EQ(taken.back().count, 2u);
  EXPECT_THAT(queue.take(), IsEmpty());
}

}  // namespace
}  // namespace anubis::netd

// Bringing the interfaces up and away, the side interface's peers, and what is found at the start.
#include <cerrno>

#include "tests/support/preshared_key.h"
#include "tests/unit/anubisd/netd/fake_host.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class Interfaces : public FakeHostTest {
 protected:
  static crypto::PublicKey side_key(unsigned number) { return public_key(2 * number + 1); }
  std::uint32_t add_link(const std::string& name, const std::string& kind, const std::string& alias = "") {
    return network_.add_link({.index = 0, .name = name, .kind = kind, .mtu = 1420, .up = false, .alias = alias});
  }
  std::string refusal(Interface which) {
    netd_ = new_netd();
    const auto report = netd_->bring_up(which);
    return report ? "" : report.error().message;
  }
};

TEST_F(Interfaces, AutoTakesTheKernel) {
  bring_up();
  EXPECT_EQ(network_.link("wg0").value()->kind, "wireguard");
  EXPECT_EQ(network_.link("wg0").value()->alias, "anubis");
  EXPECT_EQ(devices_.userspace_starts(), 0u);
}

TEST_F(Interfaces, AutoTakesUserspaceWhereTheKernelHasNoWireGuard) {
  network_.lack_wireguard();
  bring_up();
  EXPECT_EQ(netd_->bring_up(Interface::kProduction)->backend, Backend::kUserspace);
  EXPECT_EQ(network_.link("wg0").value()->alias, "anubis");
  EXPECT_EQ(devices_.userspace_starts(), 2u);
}

TEST_F(Interfaces, KernelBackendDoesNotFallBack) {
  network_.lack_wireguard();
  config_.production.backend = config::Backend::kKernel;
  EXPECT_THAT(refusal(Interface::kProduction), HasSubstr("no WireGuard"));
  EXPECT_EQ(devices_.userspace_starts(), 0u);
}

TEST_F(Interfaces, UserspaceBackendDoesNotAskTheKernel) {
  config_.production.backend = config::Backend::kUserspace;
  bring_up();
  EXPECT_EQ(network_.link("wg0").value()->kind, "tun");
}

TEST_F(Interfaces, BackendThatContradictsTheInterfaceIsTold) {
  add_link("wg0", "wireguard");
  config_.production.backend = config::Backend::kUserspace;
  EXPECT_THAT(refusal(Interface::kProduction), HasSubstr("served by the kernel"));
}

TEST_F(Interfaces, ForeignInterfaceWithAnotherKeyIsNotTakenOver) {
  add_link("wg0", "wireguard");
  const crypto::PrivateKey foreign(secret(77));
  ASSERT_TRUE(production().configure({.private_key = &foreign}));
  EXPECT_THAT(refusal(Interface::kProduction), HasSubstr("another private key"));
  EXPECT_EQ(production().info()->public_key, public_key(77));
}

TEST_F(Interfaces, OurInterfaceWithAnOldKeyGetsTheNewOne) {
  add_link("wg0", "wireguard", "anubis");
  const crypto::PrivateKey old(secret(77));
  ASSERT_TRUE(production().configure({.private_key = &old}));
  bring_up();
  EXPECT_EQ(production().info()->public_key, config_.production.public_key);
}

TEST_F(Interfaces, ForeignInterfaceIsNeverDeleted) {
  add_link("wg0", "wireguard");
  bring_up();
  ASSERT_TRUE(netd_->tear_down());
  EXPECT_TRUE(network_.link("wg0")->has_value());
  EXPECT_FALSE(network_.link("wg0").value()->up);  // as it was
  EXPECT_FALSE(network_.link("anubis0")->has_value());
  EXPECT_THAT(network_.rules(network::kRouteProtocol).value(), IsEmpty());
  EXPECT_THAT(network_.routes({.protocol = network::kRouteProtocol, .table = {}}).value(), IsEmpty());
}

TEST_F(Interfaces, ForeignInterfaceKeepsItsFirewallMark) {
  add_link("wg0", "wireguard");
  ASSERT_TRUE(production().configure({.fwmark = 7}));
  bring_up();
  EXPECT_EQ(production().info()->fwmark, 7u);
  EXPECT_EQ(side().info()->fwmark, 214u);
}

TEST_F(Interfaces, NoFirewallMarkIsNoneOnTheDevicesAndNoRule) {
  config_.production.fwmark = 0;
  add_link("wg0", "wireguard", "anubis");
  ASSERT_TRUE(production().configure({.fwmark = 214}));
  bring_up();
  EXPECT_EQ(production().info()->fwmark, 0u);
  const auto rules = network_.rules(network::kRouteProtocol).value();
  EXPECT_THAT(rules, Each(Field(&network::Rule::fwmark, std::nullopt)));
}

TEST_F(Interfaces, TheSideTunnelsPresharedKeyIsThatOfTheConfiguration) {
  auto jacinth = peer("jacinth", 1, {"10.44.1.0/24"});
  jacinth.side_preshared_key = test::preshared_key(1);
  const auto key = jacinth.side_public_key;
  change_peers({jacinth});
  bring_up();
  ASSERT_TRUE(side().peer(key)->preshared_key);
  const auto batches = side().batches();
  ASSERT_TRUE(netd_->bring_up(Interface::kSide));
  EXPECT_EQ(side().batches(), batches);

  jacinth.side_preshared_key = test::preshared_key(2);
  ASSERT_TRUE(netd_->apply_changes(change_peers({jacinth})));
  EXPECT_TRUE(side().peer(key)->preshared_key->equals(*test::preshared_key(2)));
  jacinth.side_preshared_key = nullptr;
  ASSERT_TRUE(netd_->apply_changes(change_peers({jacinth})));
  EXPECT_FALSE(side().peer(key)->preshared_key);
}

TEST_F(Interfaces, TakenPortIsToldBeforeAnythingIsMade) {
  devices_.take_port(4296);
  EXPECT_THAT(refusal(Interface::kProduction), HasSubstr("taken"));
  EXPECT_FALSE(network_.link("wg0")->has_value());
}

TEST_F(Interfaces, F42FailureHalfWayTakesTheNewLinkBack) {
  network_.fail_next(network::FakeNetwork::Operation::kAddAddress, {ErrorCode::kFull, "no memory"});
  EXPECT_THAT(refusal(Interface::kProduction), HasSubstr("no memory"));
  EXPECT_FALSE(network_.link("wg0")->has_value());
  EXPECT_TRUE(netd_->bring_up(Interface::kProduction));
}

TEST_F(Interfaces, BringingUpTwiceChangesNothing) {
  add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  const auto changes = network_.changes();
  const auto batches = side().batches();
  EXPECT_FALSE(netd_->bring_up(Interface::kSide)->fresh);
  EXPECT_FALSE(netd_->bring_up(Interface::kProduction)->fresh);
  EXPECT_EQ(network_.changes(), changes);
  EXPECT_EQ(side().batches(), batches);
  EXPECT_EQ(production().private_key_writes(), 1u);
}

TEST_F(Interfaces, SideInterfaceHasEveryPeerWithItsSideAddressAlone) {
  auto named = peer("opal", 2, {"10.44.2.0/24"});
  named.side_endpoint = model::HostPort{"opal.example.net", 4297};
  auto roamer = peer("mica", 3, {"10.44.3.0/24"});
  roamer.side_endpoint.reset();
  add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  const auto opal = add_peer(named);
  add_peer(roamer);
  bring_up();
  EXPECT_THAT(side().peer(side_key(1))->allowed_ips, ElementsAre(model::IpPrefix(peers_[0].side_address, 128)));
  EXPECT_EQ(side().peer(side_key(1))->endpoint, endpoint("192.0.2.1:4297"));
  EXPECT_EQ(side().peer(side_key(1))->persistent_keepalive, 25);
  EXPECT_EQ(side().peer(side_key(2))->persistent_keepalive, 0);  // nowhere to send yet
  EXPECT_EQ(side().peer(side_key(3))->persistent_keepalive, 0);
  EXPECT_THAT(side().packets_sent(), ElementsAre(side_key(1)));

  ASSERT_TRUE(netd_->set_side_endpoint(opal, endpoint("192.0.2.2:4297")));
  EXPECT_EQ(side().peer(side_key(2))->endpoint, endpoint("192.0.2.2:4297"));
  EXPECT_THAT(side().packets_sent(), ElementsAre(side_key(1), side_key(2)));
  ASSERT_TRUE(netd_->set_side_endpoint(opal, endpoint("192.0.2.3:4297")));
  EXPECT_THAT(side().packets_sent(), SizeIs(3));
}

TEST_F(Interfaces, RoamedSidePeerIsLeftWhereItIs) {
  add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  side().roam(side_key(1), endpoint("198.51.100.1:999"));
  bring_up();
  EXPECT_EQ(side().peer(side_key(1))->endpoint, endpoint("198.51.100.1:999"));
}

TEST_F(Interfaces, ReloadBringsTheSideInterfaceIntoLine) {
  add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  const auto opal = add_peer(peer("opal", 2, {"10.44.2.0/24"}));
  bring_up();
  ASSERT_TRUE(netd_->install({.peer = opal}));
  auto moved = peer("jacinth", 1, {"10.44.1.0/24"});
  moved.side_public_key = crypto::SidePublicKey(public_key(51));
  moved.side_endpoint = model::HostPort{"192.0.2.5", 4297};
  const auto changes = change_peers({moved, peer("mica", 3, {"10.44.3.0/24"})});
  ASSERT_TRUE(netd_->apply_changes(changes));
  EXPECT_FALSE(side().peer(side_key(1)));
  EXPECT_EQ(side().peer(public_key(51))->endpoint, endpoint("192.0.2.5:4297"));
  EXPECT_THAT(side().peer(public_key(51))->allowed_ips, ElementsAre(model::IpPrefix(moved.side_address, 128)));
  EXPECT_TRUE(side().peer(side_key(3)));
  // F68: no longer authorised.
  EXPECT_FALSE(side().peer(side_key(2)));
  EXPECT_FALSE(production().peer(public_key(4)));
  EXPECT_THAT(routes(), ElementsAre("fd77::/16 anubis0 254"));
}

TEST_F(Interfaces, ReloadMovesASidePeerWhoseEndpointAloneChanged) {
  add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  auto moved = peer("jacinth", 1, {"10.44.1.0/24"});
  moved.side_endpoint = model::HostPort{"192.0.2.5", 4297};
  ASSERT_TRUE(netd_->apply_changes(change_peers({moved})));
  EXPECT_EQ(side().peer(side_key(1))->endpoint, endpoint("192.0.2.5:4297"));
}

TEST_F(Interfaces, ReportsNameAuthorisedPeersOnly) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  const auto opal = add_peer(peer("opal", 2, {"10.44.2.0/24"}));
  bring_up();
  ASSERT_TRUE(netd_->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296")}));
  const wireguard::PeerChange foreign{.public_key = public_key(90), .allowed_ips = {{prefix("10.50.0.0/24")}}};
  ASSERT_THAT(production().apply(std::span(&foreign, 1)), IsEmpty());
  production().count_traffic(public_key(2), 100, 200);
  const auto reports = netd_->report(Interface::kProduction).value();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].peer, jacinth);
  EXPECT_EQ(reports[0].rx_bytes, 100u);
  EXPECT_EQ(reports[0].endpoint, endpoint("192.0.2.1:4296"));
  EXPECT_FALSE(netd_->report(Interface::kProduction, opal).value());
  EXPECT_THAT(netd_->report(Interface::kSide).value(), SizeIs(2));
  EXPECT_EQ(netd_->report(Interface::kSide, opal).value()->peer, opal);
}

TEST_F(Interfaces, IPv4SideAddressesGetRoutesAndAreSparedByTheTable) {
  config_.side.address = ip("10.77.0.2");
  auto with_ipv4 = peer("jacinth", 1, {"0.0.0.0/0"});
  with_ipv4.side_address = ip("10.77.0.1");
  const auto jacinth = add_peer(with_ipv4);
  bring_up();
  ASSERT_TRUE(netd_->install({.peer = jacinth}));
  EXPECT_THAT(routes(), ElementsAre("0.0.0.0/0 wg0 214", "10.77.0.1/32 anubis0 254"));
  EXPECT_EQ(network_.route_to({.destination = ip("10.77.0.1")})->ifindex, ifindex("anubis0"));
  EXPECT_EQ(network_.route_to({.destination = ip("10.77.0.3")})->ifindex, ifindex("wg0"));
  with_ipv4.side_address = ip("10.77.0.9");
  ASSERT_TRUE(netd_->apply_changes(change_peers({with_ipv4})));
  EXPECT_EQ(network_.route_to({.destination = ip("10.77.0.9")})->ifindex, ifindex("anubis0"));
  EXPECT_EQ(network_.route_to({.destination = ip("10.77.0.1")})->ifindex, ifindex("wg0"));
}

TEST_F(Interfaces, F41NextStartAdoptsSessionsAndDoesNotWriteThem) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24", "10.44.2.0/24"}));
  bring_up();
  ASSERT_TRUE(netd_->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296")}));
  const auto batches = production().batches();
  const auto before = routes();
  bring_up();
  EXPECT_THAT(netd_->installed_peers().value(), ElementsAre(jacinth));
  EXPECT_EQ(production().batches(), batches);
  EXPECT_EQ(production().private_key_writes(), 1u);
  EXPECT_EQ(routes(), before);
}

TEST_F(Interfaces, F40SessionWithAPartOfItsRoutesIsCompleted) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24", "10.44.2.0/24"}));
  bring_up();
  ASSERT_TRUE(netd_->install({.peer = jacinth}));
  const auto before = routes();
  const auto ours = network_.routes({.protocol = network::kRouteProtocol, .table = 214}).value();
  for (const auto& route : ours) {
    if (route.prefix == prefix("10.44.2.0/24")) {
      ASSERT_THAT(network_.remove_routes(std::span(&route, 1)), IsEmpty());
    }
  }
  bring_up();
  EXPECT_EQ(routes(), before);
}

TEST_F(Interfaces, F40PeerWithoutRoutesThatNeverShookHandsGoes) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  ASSERT_TRUE(netd_->install({.peer = jacinth, .with_routes = false}));
  bring_up();
  EXPECT_THAT(netd_->installed_peers().value(), IsEmpty());
  EXPECT_FALSE(production().peer(public_key(2)));
}

TEST_F(Interfaces, F46SessionWhoseRoutesVanishedWhileWeWereAwayIsHealed) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  ASSERT_TRUE(netd_->install({.peer = jacinth, .with_routes = false}));
  production().complete_handshake(public_key(2), wireguard::HandshakeTime(std::chrono::seconds(5)));
  bring_up();
  EXPECT_THAT(netd_->installed_peers().value(), ElementsAre(jacinth));
  EXPECT_THAT(routes(), Contains("10.44.1.0/24 wg0 214"));
}

TEST_F(Interfaces, F45NewDeviceIsFreshAndGetsTheSessionsAgain) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  ASSERT_TRUE(netd_->install({.peer = jacinth, .endpoint = endpoint("192.0.2.9:4296")}));
  const auto before = routes();
  ASSERT_TRUE(network_.delete_link(ifindex("wg0")));
  production().reappear();
  const auto report = netd_->bring_up(Interface::kProduction);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->fresh);
  EXPECT_THAT(netd_->installed_peers().value(), ElementsAre(jacinth));
  EXPECT_EQ(production().peer(public_key(2))->endpoint, endpoint("192.0.2.9:4296"));
  EXPECT_THAT(production().packets_sent(), Contains(public_key(2)));  // it shakes hands at once
  EXPECT_EQ(routes(), before);
}

TEST_F(Interfaces, F51FreshDeviceIsToldOnceABringUpSucceeds) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  ASSERT_TRUE(netd_->install({.peer = jacinth}));
  netd_ = new_netd();
  production().disturb_dumps(1000);
  ASSERT_FALSE(netd_->bring_up(Interface::kProduction));
  production().clear_faults();
  EXPECT_TRUE(netd_->bring_up(Interface::kProduction)->fresh);
  EXPECT_THAT(netd_->installed_peers().value(), ElementsAre(jacinth));
  EXPECT_FALSE(netd_->bring_up(Interface::kProduction)->fresh);
}

TEST_F(Interfaces, F43OverrunWatcherMeansLookAtEverything) {
  bring_up();
  EXPECT_THAT(netd_->interfaces_to_heal(), IsEmpty());
  *watcher_error_ = ENOBUFS;
  EXPECT_THAT(netd_->interfaces_to_heal(), UnorderedElementsAre(Interface::kSide, Interface::kProduction));
  *watcher_error_ = EBADF;
  EXPECT_THAT(netd_->interfaces_to_heal(), IsEmpty());  // told in the log; the daemon looks every minute anyway
  EXPECT_THAT(netd_->interfaces_to_heal(), IsEmpty());
}

TEST_F(Interfaces, TearDownGoesOnAfterAFailureAndTellsIt) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  bring_up();
  ASSERT_TRUE(netd_->install({.peer = jacinth}));
  network_.fail_next(network::FakeNetwork::Operation::kDeleteLink, {ErrorCode::kIo, "no luck"});
  const auto torn = netd_->tear_down();
  ASSERT_FALSE(torn);
  EXPECT_THAT(torn.error().message, HasSubstr("no luck"));
  EXPECT_FALSE(network_.link("anubis0")->has_value());
  EXPECT_THAT(network_.rules(network::kRouteProtocol).value(), IsEmpty());
  EXPECT_THAT(routes(), IsEmpty());
}

}  // namespace
}  // namespace anubis::netd

// LocalNetd on a real host; see system_fixture.h. What it says is held against what ip and wg see.
#include <csignal>

#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tests/unit/anubisd/netd/system_fixture.h"

namespace anubis::netd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

#define ASSERT_OK(expression)                                  \
  do {                                                         \
    const auto result = (expression);                          \
    ASSERT_TRUE(result.has_value()) << result.error().message; \
  } while (false)

std::string key(unsigned number) { return public_key(number).to_base64(); }

bool is_readable(int fd) {
  pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&readable, 1, 2000) == 1;
}

TEST_F(SystemTest, BringsInterfacesUpAndTakesAllAwayAgain) {
  config_.production.throw_ranges = {prefix("192.168.122.0/24")};
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24", "fd44:1::/64"}));
  const auto before = host_state();
  auto netd = new_netd();
  bring_up(*netd);
  EXPECT_THAT(output_of("ip address show wg0"), HasSubstr("10.44.0.7/24"));
  EXPECT_THAT(output_of("ip address show wg0"), HasSubstr("fd44::7/64"));
  EXPECT_THAT(output_of("ip address show anubis0"), HasSubstr(config_.side.address.to_string() + "/128"));
  EXPECT_THAT(output_of("wg show wg0 listen-port"), HasSubstr("4296"));
  EXPECT_THAT(output_of("wg show anubis0 listen-port"), HasSubstr("4297"));
  EXPECT_THAT(output_of("wg show wg0 peers"), IsEmpty());
  EXPECT_THAT(output_of("wg show anubis0 allowed-ips"),
              HasSubstr(key(3) + "\t" + directory_.get(jacinth)->side_address.to_string() + "/128"));
  EXPECT_THAT(output_of("wg show anubis0 persistent-keepalive"), HasSubstr("25"));
  EXPECT_THAT(output_of("wg show anubis0 endpoints"), HasSubstr("192.0.2.1:4297"));
  // No session, no route: not even for the interface's own network.
  EXPECT_THAT(output_of("ip route show table all dev wg0"), Not(HasSubstr("10.44.0.0/24")));

  ASSERT_OK(netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296")}));
  EXPECT_THAT(output_of("ip route show table 214"), HasSubstr("10.44.1.0/24 dev wg0 proto 214"));
  ASSERT_OK(netd->tear_down());
  EXPECT_EQ(host_state(), before);
  EXPECT_THAT(output_of("ls /var/run/wireguard"), IsEmpty());
}

TEST_F(SystemTest, BringingUpTwiceChangesNothing) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  auto netd = new_netd();
  bring_up(*netd);
  ASSERT_OK(netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296")}));
  const auto before = host_state() + output_of("wg show all dump | cut -f 1-6,9-");
  for (const Interface which : {Interface::kSide, Interface::kProduction}) {
    const auto report = netd->bring_up(which);
    ASSERT_OK(report);
    EXPECT_FALSE(report->fresh);
    EXPECT_TRUE(report->created_by_us);
  }
  EXPECT_EQ(host_state() + output_of("wg show all dump | cut -f 1-6,9-"), before);
}

TEST_F(SystemTest, InstallsAndRemovesASession) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24", "fd44:1::/64"}));
  auto netd = new_netd();
  bring_up(*netd);
  const auto before = host_state() + output_of("wg show wg0 dump");
  const auto presence =
      netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296"), .initiate_handshake = true});
  ASSERT_OK(presence);
  EXPECT_EQ(*presence, Presence::kCreated);
  EXPECT_THAT(output_of("wg show wg0 endpoints"), HasSubstr(key(2) + "\t192.0.2.1:4296"));
  EXPECT_THAT(output_of("wg show wg0 persistent-keepalive"), HasSubstr("25"));  // borrowed
  EXPECT_EQ(way_to("10.44.1.9"), "wg0");
  EXPECT_EQ(way_to("fd44:1::9"), "wg0");
  EXPECT_THAT(netd->installed_peers().value(), ElementsAre(jacinth));
  ASSERT_OK(netd->handshake_done(jacinth));
  EXPECT_THAT(output_of("wg show wg0 persistent-keepalive"), HasSubstr("off"));

  EXPECT_EQ(netd->install({.peer = jacinth}).value(), Presence::kFound);
  ASSERT_OK(netd->remove(jacinth));
  ASSERT_OK(netd->remove(jacinth));
  EXPECT_EQ(host_state() + output_of("wg show wg0 dump"), before);
}

TEST_F(SystemTest, StartsTheHandshakeAtOnceWhetherThePeerIsNewOrNot) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  start_jacinth(2, "10.44.1.1/24");
  auto netd = new_netd();
  bring_up(*netd);
  const auto handshake_seen = [&] {
    for (int attempt = 0; attempt < 400; ++attempt) {
      const auto report = netd->report(Interface::kProduction, jacinth).value();
      if (report && report->latest_handshake != wireguard::HandshakeTime{}) return true;
      usleep(10'000);
    }
    return false;
  };
  InstallRequest request{.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296"), .initiate_handshake = true};
  ASSERT_OK(netd->install(request));
  EXPECT_TRUE(handshake_seen());
  // A responder ignores initiations of one peer that come within 20 ms (INITIATIONS_PER_SECOND).
  usleep(50'000);
  request.recreate = true;
  ASSERT_OK(netd->install(request));
  EXPECT_TRUE(handshake_seen());
  ASSERT_OK(netd->remove(jacinth));
  usleep(50'000);

  // There already, silent so far: its keepalive is on, but it had no endpoint.
  ASSERT_OK(netd->install({.peer = jacinth}));
  request.recreate = false;
  EXPECT_EQ(netd->install(request).value(), Presence::kFound);
  EXPECT_TRUE(handshake_seen());
  EXPECT_THAT(output_of("ping -c 1 -W 2 10.44.1.1"), HasSubstr(" 0% packet loss"));
}

TEST_F(SystemTest, F38FullTunnelLeavesBearersSideTunnelAndThrowRangesAlone) {
  config_.production.throw_ranges = {prefix("192.168.122.0/24")};
  const auto jacinth = add_peer(peer("jacinth", 1, {"0.0.0.0/0", "::/0"}));
  auto netd = new_netd();
  bring_up(*netd);
  ASSERT_OK(netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296")}));
  EXPECT_EQ(way_to("198.51.100.1"), "wg0");
  EXPECT_EQ(way_to("2001:db8:1::1"), "wg0");
  EXPECT_EQ(way_to("192.0.2.1"), "wg0");  // everything else to the peer's own address goes through the tunnel
  for (const std::string port : {"4296", "4297"}) {
    EXPECT_EQ(way_to("192.0.2.1 ipproto udp sport " + port + " dport 4296"), "eth0");
    EXPECT_EQ(way_to("2001:db8::1 ipproto udp sport " + port + " dport 4296"), "eth0");
  }
  EXPECT_EQ(way_to(directory_.get(jacinth)->side_address.to_string()), "anubis0");
  EXPECT_EQ(way_to(directory_.get(jacinth)->side_address.to_string() + " ipproto udp sport 4298 dport 4298"),
            "anubis0");
  EXPECT_EQ(way_to("192.168.122.5"), "eth0");
}

TEST_F(SystemTest, F38WhatBearsATunnelIsAskedForByItself) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"0.0.0.0/0", "::/0"}));
  auto netd = new_netd();
  bring_up(*netd);
  ASSERT_OK(netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296")}));
  EXPECT_TRUE(netd->check_bearer_way(ip("192.0.2.1")));
  EXPECT_TRUE(netd->check_bearer_way(ip("2001:db8::1")));
  // No other way than the tunnel, which other packets to there would take.
  (void)output_of("ip route delete default; ip -6 route delete default");
  for (const char* nowhere : {"203.0.113.1", "2001:db8:1::1"}) {
    EXPECT_EQ(way_to(nowhere), "wg0");
    EXPECT_EQ(netd->check_bearer_way(ip(nowhere)).error().code, base::ErrorCode::kUnreachable) << nowhere;
  }
  EXPECT_EQ(netd->check_bearer_way(directory_.get(jacinth)->side_address).error().code, base::ErrorCode::kUnreachable);
}

TEST_F(SystemTest, FullTunnelCarriesTrafficAndItsBearer) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"0.0.0.0/0"}));
  start_jacinth(2, "198.51.100.1/32");
  auto netd = new_netd();
  bring_up(*netd);
  ASSERT_OK(netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296"), .initiate_handshake = true}));
  EXPECT_THAT(output_of("ping -c 3 -i 0.05 -W 2 198.51.100.1"), HasSubstr(" 0% packet loss"));
}

TEST_F(SystemTest, IPv4SideAddressesGetARouteEachThatTheFullTunnelSpares) {
  config_.side.address = ip("10.77.0.2");
  auto with_ipv4 = peer("jacinth", 1, {"0.0.0.0/0"});
  with_ipv4.side_address = ip("10.77.0.1");
  const auto jacinth = add_peer(with_ipv4);
  const auto before = host_state();
  auto netd = new_netd();
  bring_up(*netd);
  ASSERT_OK(netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296")}));
  EXPECT_EQ(way_to("10.77.0.1"), "anubis0");
  EXPECT_EQ(way_to("10.77.0.3"), "wg0");
  ASSERT_OK(netd->tear_down());
  EXPECT_EQ(host_state(), before);
}

TEST_F(SystemTest, F38EndpointInsideItsOwnTunnelIsRefusedInTheMainTable) {
  config_.production.table = network::kMainTable;
  const auto jacinth = add_peer(peer("jacinth", 1, {"192.0.2.1/32", "10.44.1.0/24"}));
  auto netd = new_netd();
  bring_up(*netd);
  const auto before = host_state() + output_of("wg show wg0 dump");
  const auto refused = netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr("through the tunnel itself"));
  EXPECT_EQ(host_state() + output_of("wg show wg0 dump"), before);
  ASSERT_OK(netd->install({.peer = jacinth, .endpoint = endpoint("203.0.113.5:4296")}));
}

// The daemon is killed; the next one finds all of it and loses nothing.
TEST_F(SystemTest, F41NextStartAdoptsWhatAKilledDaemonLeft) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  start_jacinth(2, "10.44.1.1/24");
  const auto before = host_state();
  const pid_t daemon = fork();
  if (daemon == 0) {
    auto netd = new_netd();
    bring_up(*netd);
    if (netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296"), .initiate_handshake = true}))
      raise(SIGKILL);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(daemon, &status, 0), daemon);
  ASSERT_TRUE(WIFSIGNALED(status));

  run("(ping -c 20 -i 0.02 -W 2 10.44.1.1; echo done) >/var/run/wireguard/ping 2>&1 &");
  const auto peers_before = output_of("wg show all allowed-ips; ip -o link show wg0");
  auto netd = new_netd();
  for (const Interface which : {Interface::kSide, Interface::kProduction}) {
    const auto report = netd->bring_up(which);
    ASSERT_OK(report);
    EXPECT_TRUE(report->fresh);
    EXPECT_TRUE(report->created_by_us);
  }
  EXPECT_THAT(netd->installed_peers().value(), ElementsAre(jacinth));
  EXPECT_EQ(output_of("wg show all allowed-ips; ip -o link show wg0"), peers_before);
  EXPECT_THAT(output_of("wg show wg0 persistent-keepalive"), HasSubstr("off"));  // was borrowed
  const auto pinged = output_of(
      "cd /var/run/wireguard; for i in {1..200}; do grep -q done ping && break; sleep 0.05; done; cat ping; rm ping");
  EXPECT_THAT(pinged, HasSubstr(" 0% packet loss"));

  ASSERT_OK(netd->tear_down());
  EXPECT_EQ(host_state(), before);
}

TEST_F(SystemTest, F40OrphansOfAKilledDaemonGo) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  {
    auto netd = new_netd();
    bring_up(*netd);
    ASSERT_OK(netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296"), .with_routes = false}));
  }
  run("ip route add 10.44.8.0/24 dev wg0 table 214 proto 214");     // killed between routes and peer
  run("ip route add 10.44.9.0/24 dev wg0 table 214 proto static");  // somebody else's
  auto netd = new_netd();
  bring_up(*netd);
  EXPECT_THAT(netd->installed_peers().value(), IsEmpty());
  EXPECT_THAT(output_of("wg show wg0 peers"), IsEmpty());
  const auto routes = output_of("ip route show table 214");
  EXPECT_THAT(routes, Not(HasSubstr("10.44.8.0/24")));
  EXPECT_THAT(routes, HasSubstr("10.44.9.0/24"));
}

TEST_F(SystemTest, F68PeerThatLeftTheConfigurationWhileWeWereAwayGoes) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  {
    auto netd = new_netd();
    bring_up(*netd);
    ASSERT_OK(netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296")}));
  }
  run("wg set wg0 peer " + key(40) + " allowed-ips 10.44.40.0/24");  // somebody else's
  directory_.replace({});
  auto netd = new_netd();
  bring_up(*netd);
  EXPECT_EQ(output_of("wg show wg0 peers"), key(40) + "\n");
  EXPECT_THAT(output_of("wg show anubis0 peers"), IsEmpty());
  EXPECT_THAT(output_of("ip route show table all"), Not(HasSubstr("10.44.1.0/24")));
}

TEST_F(SystemTest, F45DeletedInterfaceIsToldAndComesBack) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  auto netd = new_netd();
  bring_up(*netd);
  ASSERT_OK(netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296")}));
  while (!netd->interfaces_to_heal().empty()) {
  }
  run("ip link delete wg0");
  ASSERT_TRUE(is_readable(netd->event_fd()));
  EXPECT_THAT(netd->interfaces_to_heal(), ElementsAre(Interface::kProduction));
  const auto report = netd->bring_up(Interface::kProduction);
  ASSERT_OK(report);
  EXPECT_TRUE(report->fresh);
  EXPECT_THAT(netd->installed_peers().value(), ElementsAre(jacinth));
  EXPECT_THAT(output_of("wg show wg0 endpoints"), HasSubstr(key(2) + "\t192.0.2.1:4296"));
  EXPECT_EQ(way_to("10.44.1.9"), "wg0");
}

TEST_F(SystemTest, F45InterfaceSetDownComesBackWithItsRoutes) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24", "fd44:1::/64"}));
  auto netd = new_netd();
  bring_up(*netd);
  ASSERT_OK(netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296")}));
  while (!netd->interfaces_to_heal().empty()) {
  }
  const auto before =
      output_of("ip address show wg0 scope global; ip -4 route show table 214; ip -6 route show table 214");
  run("ip link set wg0 down");
  ASSERT_TRUE(is_readable(netd->event_fd()));
  EXPECT_THAT(netd->interfaces_to_heal(), ElementsAre(Interface::kProduction));
  const auto report = netd->bring_up(Interface::kProduction);
  ASSERT_OK(report);
  EXPECT_FALSE(report->fresh);
  EXPECT_EQ(output_of("ip address show wg0 scope global; ip -4 route show table 214; ip -6 route show table 214"),
            before);
  EXPECT_THAT(netd->installed_peers().value(), ElementsAre(jacinth));
}

TEST_F(SystemTest, F45RenamedInterfaceIsMadeAnew) {
  auto netd = new_netd();
  bring_up(*netd);
  run("ip link set wg0 down");
  run("ip link set wg0 name wg7");
  const auto report = netd->bring_up(Interface::kProduction);
  ASSERT_OK(report);
  EXPECT_TRUE(report->fresh);
  EXPECT_THAT(output_of("ip link"), Not(HasSubstr("wg7")));
  EXPECT_THAT(output_of("wg show wg0 listen-port"), HasSubstr("4296"));
}

TEST_F(SystemTest, F46VanishedRoutesAreToldAndPutBack) {
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  auto netd = new_netd();
  bring_up(*netd);
  ASSERT_OK(netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296")}));
  while (!netd->interfaces_to_heal().empty()) {
  }
  run("ip address delete 10.44.0.7/24 dev wg0");  // the last IPv4 address: all IPv4 routes go with it
  ASSERT_TRUE(is_readable(netd->event_fd()));
  EXPECT_THAT(netd->interfaces_to_heal(), ElementsAre(Interface::kProduction));
  ASSERT_OK(netd->bring_up(Interface::kProduction));
  EXPECT_EQ(way_to("10.44.1.9"), "wg0");
  EXPECT_THAT(output_of("ip address show wg0"), HasSubstr("10.44.0.7/24"));
}

TEST_F(SystemTest, ForeignInterfaceIsAdoptedAndLeftAsItWas) {
  start_wireguard("", "wg0");
  run("wg set wg0 peer " + key(40) + " allowed-ips 10.44.40.0/24");
  run("ip address add 10.9.9.9/24 dev wg0 && ip link set wg0 mtu 1400 up");
  const auto before = host_state();
  config_.production.mtu = 1380;
  const auto jacinth = add_peer(peer("jacinth", 1, {"10.44.1.0/24"}));
  auto netd = new_netd();
  bring_up(*netd);
  const auto report = netd->bring_up(Interface::kProduction);
  ASSERT_OK(report);
  EXPECT_FALSE(report->created_by_us);
  ASSERT_OK(netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296")}));
  ASSERT_OK(netd->tear_down());
  EXPECT_EQ(host_state(), before);
  EXPECT_EQ(output_of("wg show wg0 peers"), key(40) + "\n");
}

TEST_F(SystemTest, InterfacesThatAreNotForUsAreRefusedWithTheReason) {
  run("ip link add wg0 type veth peer name other0");
  run("ip tuntap add anubis0 mode tun");
  auto netd = new_netd();
  const auto production = netd->bring_up(Interface::kProduction);
  ASSERT_FALSE(production);
  EXPECT_THAT(production.error().message, HasSubstr("no WireGuard interface but of the kind veth"));
  const auto side = netd->bring_up(Interface::kSide);
  ASSERT_FALSE(side);
  EXPECT_THAT(side.error().message, HasSubstr("no userspace WireGuard serves it"));
  EXPECT_THAT(output_of("ip link"), HasSubstr("anubis0"));
}

TEST_F(SystemTest, TakenListenPortIsToldAndNothingStaysBehind) {
  auto netd = new_netd();
  ASSERT_OK(netd->bring_up(Interface::kSide));
  ASSERT_OK(netd->tear_down());
  const base::Fd taken(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(4297);
  ASSERT_EQ(bind(taken.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const auto refused = netd->bring_up(Interface::kSide);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("4297/udp"));
  EXPECT_THAT(output_of("ip link"), Not(HasSubstr("anubis0")));
}

TEST_F(SystemTest, HostWithoutIPv6KeepsTheIPv4Half) {
  run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
  config_.side.address = ip("10.77.0.2");
  auto with_ipv4 = peer("jacinth", 1, {"10.44.1.0/24", "fd44:1::/64"});
  with_ipv4.side_address = ip("10.77.0.1");
  const auto jacinth = add_peer(with_ipv4);
  auto netd = new_netd();
  bring_up(*netd);
  ASSERT_OK(netd->install({.peer = jacinth, .endpoint = endpoint("192.0.2.1:4296")}));
  EXPECT_EQ(way_to("10.44.1.9"), "wg0");
  ASSERT_OK(netd->bring_up(Interface::kProduction));
  ASSERT_OK(netd->remove(jacinth));
}

TEST_F(SystemTest, SideAddressWithoutIPv6IsRefusedWithAdvice) {
  run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
  auto netd = new_netd();
  const auto refused = netd->bring_up(Interface::kSide);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("side.address"));
  EXPECT_THAT(output_of("ip link"), Not(HasSubstr("anubis0")));
}

}  // namespace
}  // namespace anubis::netd

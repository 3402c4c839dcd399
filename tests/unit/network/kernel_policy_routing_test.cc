// The rules and throw routes at work: where does the kernel really send packets?
//
//   uplink (veth, 192.0.2.1, 2001:db8::1) ── default route of table main
//   tun7   (10.44.0.7, fd44::7)           ── default route of table 214, as a peer with 0.0.0.0/0 and ::/0 has it
//   tun8   (fd77::8)                      ── the side interface: fd77::/16 in table main
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/network/policy_routing.h"
#include "tests/unit/network/kernel_fixture.h"

namespace anubis::network {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

SocketAddress socket_address(const model::IpAddress& address, std::uint16_t port, socklen_t& size) {
  SocketAddress made{};
  if (address.family() == model::Family::kV4) {
    made.v4.sin_family = AF_INET;
    made.v4.sin_port = htons(port);
    std::memcpy(&made.v4.sin_addr, address.bytes().data(), 4);
    size = sizeof made.v4;
  } else {
    made.v6.sin6_family = AF_INET6;
    made.v6.sin6_port = htons(port);
    std::memcpy(&made.v6.sin6_addr, address.bytes().data(), 16);
    size = sizeof made.v6;
  }
  return made;
}

class KernelPolicyRouting : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped()) return;
    run(R"(ip -batch - <<END
      link add uplink type veth peer name outside
      address add 192.0.2.1/24 dev uplink
      address add 2001:db8::1/64 dev uplink nodad
      link set uplink up
      link set outside up
      route add default via 192.0.2.254 dev uplink
      route add default via 2001:db8::254 dev uplink
      tuntap add tun7 mode tun
      address add 10.44.0.7/32 dev tun7
      address add fd44::7/128 dev tun7 nodad
      link set tun7 up
      tuntap add tun8 mode tun
      address add fd77::8/16 dev tun8 nodad
      link set tun8 up
END)");
    PolicyRoutingInput input;
    input.production_listen_port = 4296;
    input.side_listen_port = 4297;
    input.fwmark = 0xd6;
    input.throw_ranges = throws_;
    input.side_ranges = sides_;
    routing_ = policy_routing(input).value();
    expect_in_place(network_->add_routes(routing_.throws));
    for (const Rule& rule : routing_.rules) ASSERT_TRUE(network_->add_rule(rule));
    const std::vector<Route> defaults = {route("0.0.0.0/0", "tun7"), route("::/0", "tun7")};
    expect_in_place(network_->add_routes(defaults));
  }

  // The link of a UDP packet from this port (0: any).
  [[nodiscard]] std::string way(std::string_view destination, std::uint16_t source_port) {
    RouteQuery query;
    query.destination = ip(destination);
    if (source_port != 0) {
      query.ip_protocol = IPPROTO_UDP;
      query.source_port = source_port;
    }
    const auto answer = network_->route_to(query);
    if (!answer) return answer.error().message;
    return network_->link_at(answer->ifindex).value()->name;
  }

  // The address that a real socket bound to this port takes for itself: that of the link it would send through.
  [[nodiscard]] static std::string source_of_socket(std::string_view destination, std::uint16_t port) {
    const model::IpAddress to = ip(destination);
    const int family = to.family() == model::Family::kV4 ? AF_INET : AF_INET6;
    const base::Fd socket_fd(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto any = to.family() == model::Family::kV4 ? ip("0.0.0.0") : ip("::");
    socklen_t size = 0;
    SocketAddress local = socket_address(any, port, size);
    if (bind(socket_fd.get(), &local.any, size) != 0) return strerror(errno);
    const SocketAddress remote = socket_address(to, 4296, size);
    if (connect(socket_fd.get(), &remote.any, size) != 0) return strerror(errno);
    size = sizeof local;
    getsockname(socket_fd.get(), &local.any, &size);
    return (family == AF_INET ? model::IpAddress::v4(std::span<const std::uint8_t, 4>(
                                    reinterpret_cast<const std::uint8_t*>(&local.v4.sin_addr), 4))
                              : model::IpAddress::v6(std::span<const std::uint8_t, 16>(
                                    reinterpret_cast<const std::uint8_t*>(&local.v6.sin6_addr), 16)))
        .to_string();
  }

  std::vector<model::IpPrefix> throws_ = {prefix("192.168.122.0/24"), prefix("2001:db8:7::/48")};
  std::vector<model::IpPrefix> sides_ = {prefix("fd77::/16")};
  PolicyRouting routing_;
};

TEST_F(KernelPolicyRouting, F38BearerPacketsStayOutOfTheTunnelThatTheyBear) {
  for (const char* destination : {"198.51.100.9", "2001:db8:9::9"}) {
    EXPECT_EQ(way(destination, 4296), "uplink");
    EXPECT_EQ(way(destination, 4297), "uplink");
    EXPECT_EQ(way(destination, 4298), "tun7");
    EXPECT_EQ(way(destination, 0), "tun7");
  }
}

TEST_F(KernelPolicyRouting, F38RealSocketsAreKeptOutToo) {
  EXPECT_EQ(source_of_socket("198.51.100.9", 4296), "192.0.2.1");
  EXPECT_EQ(source_of_socket("198.51.100.9", 4297), "192.0.2.1");
  EXPECT_EQ(source_of_socket("198.51.100.9", 5000), "10.44.0.7");
  EXPECT_EQ(source_of_socket("2001:db8:9::9", 4296), "2001:db8::1");
  EXPECT_EQ(source_of_socket("2001:db8:9::9", 4297), "2001:db8::1");
  EXPECT_EQ(source_of_socket("2001:db8:9::9", 5000), "fd44::7");
}

// `ip route add default via …` without a link is what many type, and it was taken for a route into the tunnel, which
// bearer packets then followed round and round.
TEST_F(KernelPolicyRouting, F38GatewaysThatAreNamedWithoutALinkAreNotFoundBehindTheTunnel) {
  for (const std::string family : {"-4 ", "-6 "}) {
    run("ip " + family + "route delete default table main");
    run("ip " + family + "route add default via " + (family == "-4 " ? "192.0.2.253" : "2001:db8::253"));
  }
  for (const char* destination : {"198.51.100.9", "2001:db8:9::9"}) {
    EXPECT_EQ(way(destination, 4296), "uplink");
    EXPECT_EQ(way(destination, 0), "tun7");
  }
}

// A laptop between two networks: its tunnel filled itself with gigabytes of its own packets, and the other end took an
// address inside the tunnel for its endpoint.
TEST_F(KernelPolicyRouting, F38BearerPacketsWithoutAnyRouteGoNowhere) {
  run("ip -4 route flush dev uplink table main");
  run("ip -6 route flush dev uplink table main");
  for (const char* destination : {"198.51.100.9", "2001:db8:9::9"}) {
    EXPECT_THAT(way(destination, 4296), HasSubstr("nreachable"));
    EXPECT_THAT(way(destination, 4297), HasSubstr("nreachable"));
    EXPECT_EQ(way(destination, 0), "tun7");
  }
}

// At home the LAN goes directly and its hosts get their answers; elsewhere all of it goes through the tunnel.
TEST_F(KernelPolicyRouting, DirectRangesAreOutsideTheTunnelOnlyOnTheirOwnLink) {
  const std::vector ranges = {prefix("192.0.2.0/24"), prefix("2001:db8::/64")};
  const std::vector addresses = {interface_address("10.44.0.7/32"), interface_address("fd44::7/128")};
  PolicyRoutingInput input;
  input.production_listen_port = 4296;
  input.side_listen_port = 4297;
  input.direct_ranges = ranges;
  input.addresses = addresses;
  const PolicyRouting with_direct = policy_routing(input).value();
  for (const Rule& rule : with_direct.rules) {
    if (std::ranges::find(routing_.rules, rule) != routing_.rules.end()) continue;
    ASSERT_TRUE(network_->add_rule(rule));
    EXPECT_THAT(network_->rules(kRouteProtocol).value(), testing::Contains(rule));
  }
  for (const char* neighbour : {"192.0.2.9", "2001:db8::9"}) EXPECT_EQ(way(neighbour, 0), "uplink");
  for (const char* far : {"198.51.100.9", "2001:db8:9::9"}) EXPECT_EQ(way(far, 0), "tun7");
  EXPECT_THAT(output_of("ip route get 10.44.0.9 from 192.0.2.1"), HasSubstr("dev uplink"));
  EXPECT_THAT(output_of("ip -6 route get fd44::9 from 2001:db8::1"), HasSubstr("dev uplink"));
  EXPECT_THAT(output_of("ip route get 192.0.2.9 from 10.44.0.7"), HasSubstr("dev tun7"));
  EXPECT_THAT(output_of("ip -6 route get 2001:db8::9 from fd44::7"), HasSubstr("dev tun7"));

  run("ip address flush dev uplink scope global");
  run("ip address add 203.0.113.7/24 dev uplink");
  run("ip route add default via 203.0.113.1 dev uplink");
  run("ip address add 2001:db8:113::7/64 dev uplink nodad");
  run("ip -6 route replace default via 2001:db8:113::1 dev uplink");
  run("ip route add 192.0.0.0/8 via 203.0.113.1 dev uplink");  // that network's DHCP is curious
  for (const char* neighbour : {"192.0.2.9", "2001:db8::9"}) EXPECT_EQ(way(neighbour, 0), "tun7");
  const std::vector<Rule> ours = network_->rules(kRouteProtocol).value();
  for (const Rule& rule : ours) EXPECT_TRUE(network_->remove_rule(rule));
  EXPECT_THAT(network_->rules(kRouteProtocol).value(), testing::IsEmpty());
}

TEST_F(KernelPolicyRouting, ForwardedPacketsOfOthersWithThatPortTakeTheTunnel) {
  run("sysctl -qw net.ipv4.ip_forward=1");
  run("ip link add lan type veth peer name client");
  run("ip address add 10.99.0.1/24 dev lan");
  run("ip link set lan up");
  run("ip link set client up");
  const std::string forwarded = "ip route get 198.51.100.9 from 10.99.0.2 iif lan ipproto udp dport 4296 sport ";
  EXPECT_THAT(output_of(forwarded + "4296"), HasSubstr("dev tun7"));
  EXPECT_THAT(output_of(forwarded + "5000"), HasSubstr("dev tun7"));
}

TEST_F(KernelPolicyRouting, ThrowAndSideRangesAreKeptOut) {
  EXPECT_EQ(way("192.168.122.5", 0), "uplink");
  EXPECT_EQ(way("2001:db8:7::5", 0), "uplink");
  EXPECT_EQ(way("fd77::9", 0), "tun8");
  EXPECT_EQ(way("fd77::9", 4298), "tun8");
}

TEST_F(KernelPolicyRouting, OwnAddressesStayLocal) {
  EXPECT_EQ(way("10.44.0.7", 0), "lo");
  EXPECT_EQ(way("fd44::7", 4296), "lo");
}

TEST_F(KernelPolicyRouting, AnswerNamesTableGatewayAndSource) {
  RouteQuery query;
  query.destination = ip("198.51.100.9");
  const auto tunnel = network_->route_to(query).value();
  EXPECT_EQ(tunnel.table, 214u);
  EXPECT_FALSE(tunnel.gateway);
  EXPECT_EQ(tunnel.source, ip("10.44.0.7"));
  query.ip_protocol = IPPROTO_UDP;
  query.source_port = 4296;
  const auto uplink = network_->route_to(query).value();
  EXPECT_EQ(uplink.table, kMainTable);
  EXPECT_EQ(uplink.gateway, ip("192.0.2.254"));
  EXPECT_EQ(uplink.source, ip("192.0.2.1"));
}

TEST_F(KernelPolicyRouting, MarkedPacketsFromHereTakeTheMainTable) {
  RouteQuery query;
  for (const char* destination : {"198.51.100.9", "2001:db8:9::9"}) {
    query.destination = ip(destination);
    query.fwmark = {};
    EXPECT_EQ(network_->route_to(query).value().table, 214u);
    query.fwmark = 0xd6;
    EXPECT_EQ(network_->route_to(query).value().table, kMainTable);
  }
}

TEST_F(KernelPolicyRouting, FirewallMarkCountsInALookUp) {
  run("ip rule add priority 100 fwmark 7 lookup main");
  RouteQuery query;
  query.destination = ip("198.51.100.9");
  EXPECT_EQ(network_->route_to(query).value().table, 214u);
  query.fwmark = 7;
  EXPECT_EQ(network_->route_to(query).value().table, kMainTable);
}

TEST_F(KernelPolicyRouting, WithoutAnyRouteIsUnreachable) {
  run("ip route delete default");
  run("ip -6 route delete default");
  run("ip route delete default table 214");
  run("ip -6 route delete default table 214");
  run("ip route add prohibit 198.51.100.0/24");
  run("ip -6 route add blackhole 2001:db8:9::/48");
  for (const char* destination : {"203.0.113.1", "198.51.100.9", "2001:db8:9::9", "2001:db8:8::9"}) {
    RouteQuery query;
    query.destination = ip(destination);
    const auto answer = network_->route_to(query);
    ASSERT_FALSE(answer) << destination;
    EXPECT_EQ(answer.error().code, ErrorCode::kUnreachable) << answer.error().message;
  }
}

// The check of the source address (rp_filter=1) of what arrives asks for the way back: for a bearer packet that must be
// the uplink again, whatever port a NAT gave its sender, although all else goes through the tunnel.
TEST_F(KernelPolicyRouting, StrictReversePathFilterLetsBearerPacketsIn) {
  run("sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.uplink.rp_filter=1");
  run("ip link set uplink address 02:00:00:00:00:01");
  const std::string uplink_address = "02:00:00:00:00:01";
  base::Fd stranger;
  std::thread([&] {  // a thread has a network namespace of its own: the stranger's, with the other end of the uplink
    if (unshare(CLONE_NEWNET) != 0) return;
    const base::Fd theirs(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    const std::string path = "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(theirs.get());
    run("nsenter --net=/proc/" + std::to_string(getpid()) + "/ns/net ip link set outside netns " + path);
    run("ip address add 192.0.2.254/24 dev outside");
    run("ip address add 198.51.100.9/32 dev outside");
    run("ip link set outside up");
    // Far away in truth, behind a router whose range would be thrown: its own ARP does not pass the filter.
    run("ip neighbour add 192.0.2.1 dev outside lladdr " + uplink_address);
    stranger = base::Fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    socklen_t size = 0;
    const SocketAddress local = socket_address(ip("198.51.100.9"), 61'000, size);
    if (bind(stranger.get(), &local.any, size) != 0) stranger.reset();
  })
      .join();
  ASSERT_TRUE(stranger);

  const auto receives = [&](std::uint16_t port, timeval timeout) {
    const base::Fd here(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    setsockopt(here.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    socklen_t size = 0;
    const SocketAddress local = socket_address(ip("0.0.0.0"), port, size);
    if (bind(here.get(), &local.any, size) != 0) return false;
    const SocketAddress target = socket_address(ip("192.0.2.1"), port, size);
    if (sendto(stranger.get(), "x", 1, 0, &target.any, size) != 1) return false;
    char byte = 0;
    return recv(here.get(), &byte, 1, 0) == 1;
  };
  EXPECT_TRUE(receives(4296, {10, 0}));
  EXPECT_TRUE(receives(4297, {10, 0}));
  EXPECT_FALSE(receives(5000, {0, 200'000})) << "the filter is not at work: this test shows nothing";
}

}  // namespace
}  // namespace anubis::network

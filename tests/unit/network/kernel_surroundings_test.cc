// Where a host is, as the real kernel shows it: this host and another one, the gateway, on a veth pair.
//
//    eth0 192.0.2.7/24, 2001:db8::7/64 ──────── gw0 192.0.2.1/24, 2001:db8::1/64, in a namespace of its own
#include <algorithm>
#include <chrono>
#include <thread>

#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "lib/network/watcher.h"
#include "tests/unit/network/kernel_fixture.h"

namespace anubis::network {
namespace {

using model::Sighting;
using model::SightingKind;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class KernelSurroundings : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped()) return;
    gateway_ = "anubis-gw-" + std::to_string(getpid());
    run("ip netns add " + gateway_);
    run("ip link add eth0 type veth peer name gw0 netns " + gateway_);
    run("ip -n " + gateway_ + " link set lo up");
    run("ip -n " + gateway_ + " link set gw0 address 52:54:00:12:34:56");
    run("ip -n " + gateway_ + " address add 192.0.2.1/24 dev gw0");
    run("ip -n " + gateway_ + " address add 2001:db8::1/64 dev gw0 nodad");
    run("ip -n " + gateway_ + " link set gw0 up");
    // The kernel asks for a neighbour from its link-local address, which shall not have to be tried for two seconds.
    run("sysctl -qw net.ipv6.conf.eth0.accept_dad=0");
    run("ip address add 192.0.2.7/24 dev eth0");
    run("ip address add 2001:db8::7/64 dev eth0 nodad");
    run("ip link set eth0 up");
  }
  void TearDown() override {
    if (!gateway_.empty()) run("ip netns delete " + gateway_);
    KernelTest::TearDown();
  }

  std::vector<Sighting> usable_addresses(std::vector<std::uint32_t> except = {}) {
    auto seen = network_->usable_addresses(except);
    EXPECT_TRUE(seen) << seen.error().message;
    return seen ? *seen : std::vector<Sighting>();
  }
  std::vector<Sighting> default_routes(std::vector<std::uint32_t> except = {}) {
    auto seen = network_->default_routes(except);
    EXPECT_TRUE(seen) << seen.error().message;
    return seen ? *seen : std::vector<Sighting>();
  }
  // Once no gateway is being asked any more, or after five seconds.
  std::vector<Sighting> resolved_default_routes() {
    std::vector<Sighting> seen;
    for (int i = 0; i < 250; ++i) {
      seen = default_routes();
      if (std::ranges::none_of(seen, &Sighting::is_resolving)) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return seen;
  }

  static Sighting address(const std::string& link, std::string_view text, bool is_uplink = true) {
    return {.kind = SightingKind::kAddress, .link = link, .is_uplink = is_uplink, .address = ip(text)};
  }
  static Sighting route_via(std::string_view gateway, bool is_known) {
    return {.kind = SightingKind::kDefaultRoute,
            .link = "eth0",
            .is_uplink = true,
            .address = ip(gateway),
            .mac = is_known ? std::optional(*model::MacAddress::parse("52:54:00:12:34:56")) : std::nullopt,
            .is_resolving = !is_known};
  }

  std::string gateway_;
};

TEST_F(KernelSurroundings, AddressesThatReachBeyondALinkThatCarriesPackets) {
  run("ip address add 169.254.7.7/16 dev eth0");
  run("ip address add 10.7.7.7/32 dev lo");
  run("ip link add br0 type bridge");
  run("ip address add 10.8.8.8/24 dev br0");
  EXPECT_THAT(usable_addresses(), UnorderedElementsAre(address("eth0", "192.0.2.7"), address("eth0", "2001:db8::7")));

  run("ip link set br0 up");
  EXPECT_THAT(usable_addresses(), Contains(address("br0", "10.8.8.8", false)));
  EXPECT_THAT(usable_addresses({index_of("eth0")}), ElementsAre(address("br0", "10.8.8.8", false)));

  run("ip -n " + gateway_ + " link set gw0 down");  // the cable is pulled
  EXPECT_THAT(usable_addresses(), ElementsAre(address("br0", "10.8.8.8", false)));
}

TEST_F(KernelSurroundings, AnAddressIsUsableOnceNobodyElseWasFoundToHaveIt) {
  run("sysctl -qw net.ipv6.conf.eth0.accept_dad=1");
  run("ip address add 2001:db8::1/64 dev eth0");  // the gateway's
  EXPECT_THAT(usable_addresses(), UnorderedElementsAre(address("eth0", "192.0.2.7"), address("eth0", "2001:db8::7")));
}

TEST_F(KernelSurroundings, AGatewayIsAskedForItsMacAddress) {
  EXPECT_THAT(default_routes(), IsEmpty());
  run("ip route add default via 192.0.2.1");
  run("ip route add default via 192.0.2.1 table 77");
  run("ip -6 route add default via 2001:db8::1");
  run("ip route add 198.51.100.0/24 via 192.0.2.1");
  EXPECT_THAT(default_routes(), UnorderedElementsAre(route_via("192.0.2.1", false), route_via("2001:db8::1", false)));
  EXPECT_THAT(resolved_default_routes(),
              UnorderedElementsAre(route_via("192.0.2.1", true), route_via("2001:db8::1", true)));
  EXPECT_THAT(default_routes({index_of("eth0")}), IsEmpty());
}

TEST_F(KernelSurroundings, AGatewayThatIsNotThereIsNeverKnown) {
  run("ip route add default via 192.0.2.99");
  run("sysctl -qw net.ipv4.neigh.eth0.retrans_time_ms=50");
  EXPECT_THAT(resolved_default_routes(), ElementsAre(route_via("192.0.2.99", false)));
}

TEST_F(KernelSurroundings, NextHopsOfOneRouteAreAllSeen) {
  run("ip -n " + gateway_ + " address add 192.0.2.2/24 dev gw0");
  run("ip route add default nexthop via 192.0.2.1 dev eth0 nexthop via 192.0.2.2 dev eth0");
  EXPECT_THAT(resolved_default_routes(),
              UnorderedElementsAre(route_via("192.0.2.1", true), route_via("192.0.2.2", true)));
}

TEST_F(KernelSurroundings, AnIPv4RouteMayHaveAnIPv6Gateway) {
  run("ip route add default via inet6 2001:db8::1 dev eth0");
  EXPECT_THAT(resolved_default_routes(), ElementsAre(route_via("2001:db8::1", true)));
}

TEST_F(KernelSurroundings, ATunnelHasNoGatewayToAsk) {
  add_tunnel("tun7", "10.44.0.7/24");
  run("ip route add default via 10.44.0.1 dev tun7");
  // Without a program behind it, it carries nothing.
  EXPECT_THAT(default_routes(), IsEmpty());
  const base::Fd program(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  ifreq request{};
  std::ranges::copy(std::string_view("tun7"), std::begin(request.ifr_name));
  request.ifr_flags = IFF_TUN;
  ASSERT_EQ(ioctl(program.get(), TUNSETIFF, &request), 0) << strerror(errno);
  EXPECT_THAT(default_routes(),
              ElementsAre(Sighting{.kind = SightingKind::kDefaultRoute, .link = "tun7", .address = ip("10.44.0.1")}));
}

TEST_F(KernelSurroundings, AWatcherTellsOfDefaultRoutesWhoeverMadeThem) {
  const auto watcher = Watcher::create();
  ASSERT_TRUE(watcher);
  const auto drained = [&] {
    auto changes = (*watcher)->drain()->changes;
    std::erase_if(changes, [](const Change& change) { return change.kind != ChangeKind::kDefaultRoute; });
    return changes;
  };
  run("ip route add 198.51.100.0/24 via 192.0.2.1");
  run("ip route add default via 192.0.2.1 table 77");
  EXPECT_THAT(drained(), IsEmpty());
  run("ip route add default via 192.0.2.1");
  Change change{ChangeKind::kDefaultRoute, false, index_of("eth0"), "", ip("192.0.2.1")};
  EXPECT_THAT(drained(), ElementsAre(change));
  run("ip route delete default");
  change.gone = true;
  EXPECT_THAT(drained(), ElementsAre(change));
}

}  // namespace
}  // namespace anubis::network

// What every Network does, the fake one as the kernel: the fake is worth nothing where it is kinder.
#include <vector>

#include "lib/network/policy_routing.h"
#include "lib/network/testing/fake_network.h"
#include "tests/unit/network/kernel_fixture.h"

namespace anubis::network {
namespace {

using base::ErrorCode;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAreArray;

enum class World { kFake, kKernel };

class NetworkConformance : public KernelTest, public testing::WithParamInterface<World> {
 protected:
  void SetUp() override {
    if (GetParam() == World::kKernel) KernelTest::SetUp();
  }

  Network& network() { return GetParam() == World::kKernel ? static_cast<Network&>(*network_) : fake_; }

  std::uint32_t add_tunnel(const std::string& name) {
    if (GetParam() == World::kFake) return fake_.add_link({0, name, "tun", 1500, false, ""});
    run("ip tuntap add " + name + " mode tun");
    run("sysctl -qw net.ipv6.conf." + name + ".addr_gen_mode=1");  // no link-local address, as with WireGuard
    return index_of(name);
  }

  std::uint32_t add_tunnel_that_is_up(const std::string& name, const char* address) {
    const std::uint32_t index = add_tunnel(name);
    EXPECT_TRUE(network().add_address(index, interface_address(address), PrefixRoute::kAdd));
    EXPECT_TRUE(network().set_link(index, {.mtu = {}, .up = true, .alias = {}}));
    return index;
  }

  void add_foreign_route(const Route& route) {
    Route foreign = route;
    foreign.protocol = 4;
    // What protocol a route has is the caller's word: the kernel takes it from anybody.
    expect_in_place(network().add_routes(std::span(&foreign, 1)));
  }

  void switch_ipv6_off(const std::string& name, std::uint32_t index) {
    if (GetParam() == World::kFake) {
      fake_.lack_ipv6_on(index);
    } else {
      run("sysctl -qw net.ipv6.conf." + name + ".disable_ipv6=1");
    }
  }

  static Route to(std::uint32_t ifindex, std::string_view range, std::uint32_t table = 214) {
    Route made;
    made.prefix = prefix(range);
    made.table = table;
    made.ifindex = ifindex;
    return made;
  }

  std::vector<Route> ours() { return network().routes({kRouteProtocol, {}}).value(); }

  bool has_route(const Route& route) {
    const auto all = network().routes({{}, route.table}).value();
    return std::ranges::find(all, route) != all.end();
  }

  FakeNetwork fake_;
};

INSTANTIATE_TEST_SUITE_P(Worlds, NetworkConformance, testing::Values(World::kFake, World::kKernel),
                         [](const auto& chosen) { return chosen.param == World::kFake ? "Fake" : "Kernel"; });

TEST_P(NetworkConformance, LinkSettingsStickAndAbsentLinksAreToldAsSuch) {
  const std::uint32_t index = add_tunnel("tun7");
  ASSERT_TRUE(network().set_link(index, {.mtu = 1400, .up = true, .alias = "anubis"}));
  const auto link = network().link("tun7").value();
  EXPECT_EQ(link, network().link_at(index).value());
  EXPECT_EQ(link->mtu, 1400u);
  EXPECT_TRUE(link->up);
  EXPECT_EQ(link->alias, "anubis");
  ASSERT_TRUE(network().delete_link(index));
  EXPECT_TRUE(network().delete_link(index));
  EXPECT_FALSE(network().link("tun7").value());
  EXPECT_EQ(network().set_link(index, {.mtu = {}, .up = true, .alias = {}}).error().code, ErrorCode::kNotFound);
}

TEST_P(NetworkConformance, AddressesAreOursAndMayBeRepeated) {
  const std::uint32_t index = add_tunnel("tun7");
  for (const char* text : {"10.44.0.7/24", "fd44::7/64"}) {
    const auto address = interface_address(text);
    EXPECT_TRUE(network().add_address(index, address, PrefixRoute::kAdd));
    EXPECT_TRUE(network().add_address(index, address, PrefixRoute::kAdd));
    EXPECT_THAT(network().addresses(index).value(), Contains(Address{address, kRouteProtocol}));
    EXPECT_TRUE(network().remove_address(index, address));
    EXPECT_TRUE(network().remove_address(index, address));
  }
  EXPECT_THAT(network().addresses(index).value(), IsEmpty());
  EXPECT_EQ(network().add_address(4711, interface_address("10.44.0.7/24"), PrefixRoute::kAdd).error().code,
            ErrorCode::kNotFound);
}

TEST_P(NetworkConformance, PrefixRouteComesWithTheAddressOnceTheLinkIsUpUnlessUnwanted) {
  const std::uint32_t index = add_tunnel("tun7");
  ASSERT_TRUE(network().add_address(index, interface_address("10.44.0.7/24"), PrefixRoute::kAdd));
  ASSERT_TRUE(network().add_address(index, interface_address("10.45.0.7/24"), PrefixRoute::kNone));
  ASSERT_TRUE(network().add_address(index, interface_address("fd44::7/64"), PrefixRoute::kAdd));
  Route ipv4 = to(index, "10.44.0.0/24", kMainTable);
  ipv4.protocol = 2;
  Route ipv6 = to(index, "fd44::/64", kMainTable);
  ipv6.protocol = 2;
  ipv6.metric = 256;
  EXPECT_FALSE(has_route(ipv4));
  ASSERT_TRUE(network().set_link(index, {.mtu = {}, .up = true, .alias = {}}));
  EXPECT_TRUE(has_route(ipv4));
  EXPECT_TRUE(has_route(ipv6));
  Route unwanted = ipv4;
  unwanted.prefix = prefix("10.45.0.0/24");
  EXPECT_FALSE(has_route(unwanted));
  // The same prefix for a peer: IPv4's is there already, IPv6's stands beside with its own metric.
  expect_in_place(network().add_routes(
      std::vector<Route>{to(index, "10.44.0.0/24", kMainTable), to(index, "fd44::/64", kMainTable)}));
  EXPECT_THAT(ours(), UnorderedElementsAreArray({to(index, "fd44::/64", kMainTable)}));
}

TEST_P(NetworkConformance, F46RoutesVanishWithTheLastIpv4Address) {
  const std::uint32_t index = add_tunnel_that_is_up("tun7", "10.44.0.7/24");
  ASSERT_TRUE(network().add_address(index, interface_address("10.45.0.7/24"), PrefixRoute::kAdd));
  expect_in_place(network().add_routes(std::vector<Route>{to(index, "10.50.0.0/24"), to(index, "fd50::/64")}));
  ASSERT_TRUE(network().remove_address(index, interface_address("10.45.0.7/24")));
  EXPECT_THAT(ours(), SizeIs(2));
  ASSERT_TRUE(network().remove_address(index, interface_address("10.44.0.7/24")));
  EXPECT_THAT(ours(), UnorderedElementsAreArray({to(index, "fd50::/64")}));
}

TEST_P(NetworkConformance, F45RoutesAndIpv6AddressesVanishWhenTheLinkGoesDown) {
  const std::uint32_t index = add_tunnel_that_is_up("tun7", "10.44.0.7/24");
  ASSERT_TRUE(network().add_address(index, interface_address("fd44::7/64"), PrefixRoute::kAdd));
  Route throwing;
  throwing.prefix = prefix("10.51.0.0/24");
  throwing.table = 214;
  throwing.kind = RouteKind::kThrow;
  const std::vector<Route> routes = {to(index, "10.50.0.0/24"), to(index, "fd50::/64"), throwing};
  expect_in_place(network().add_routes(routes));
  ASSERT_TRUE(network().set_link(index, {.mtu = {}, .up = false, .alias = {}}));
  EXPECT_THAT(ours(), UnorderedElementsAreArray({throwing}));
  EXPECT_THAT(network().addresses(index).value(),
              UnorderedElementsAreArray({Address{interface_address("10.44.0.7/24"), kRouteProtocol}}));
  const auto failures = network().add_routes(routes);
  ASSERT_THAT(failures, SizeIs(2));
  EXPECT_EQ(failures[0].error.code, ErrorCode::kUnreachable) << failures[0].error.message;
  ASSERT_TRUE(network().set_link(index, {.mtu = {}, .up = true, .alias = {}}));
  EXPECT_THAT(ours(), UnorderedElementsAreArray({throwing}));
  expect_in_place(network().add_routes(routes));
  EXPECT_THAT(ours(), UnorderedElementsAreArray(routes));
}

TEST_P(NetworkConformance, F45RoutesVanishWithTheLink) {
  const std::uint32_t index = add_tunnel_that_is_up("tun7", "10.44.0.7/24");
  const std::vector<Route> routes = {to(index, "10.50.0.0/24"), to(index, "fd50::/64")};
  expect_in_place(network().add_routes(routes));
  ASSERT_TRUE(network().delete_link(index));
  EXPECT_THAT(ours(), IsEmpty());
  expect_in_place(network().remove_routes(routes));
  EXPECT_THAT(network().add_routes(routes), SizeIs(2));
}

TEST_P(NetworkConformance, ForeignRoutesAreNeitherReplacedNorRemoved) {
  const std::uint32_t ours_link = add_tunnel_that_is_up("tun7", "10.44.0.7/24");
  const std::uint32_t theirs_link = add_tunnel_that_is_up("tun8", "10.8.0.1/24");
  for (const char* range : {"10.50.0.0/24", "fd50::/64"}) {
    add_foreign_route(to(theirs_link, range));
    const std::vector<Route> wanted = {to(ours_link, range)};
    const auto failures = network().add_routes(wanted);
    ASSERT_THAT(failures, SizeIs(1));
    EXPECT_EQ(failures[0].error.code, ErrorCode::kExists);
    expect_in_place(network().remove_routes(wanted));
    expect_in_place(network().remove_routes(std::vector<Route>{to(theirs_link, range)}));
  }
  EXPECT_THAT(network().routes({4, 214}).value(), SizeIs(2));
}

TEST_P(NetworkConformance, WithoutIpv6OnTheLinkIpv4Works) {
  const std::uint32_t index = add_tunnel_that_is_up("tun7", "10.44.0.7/24");
  switch_ipv6_off("tun7", index);
  EXPECT_EQ(network().add_address(index, interface_address("fd44::7/64"), PrefixRoute::kAdd).error().code,
            ErrorCode::kUnsupported);
  const auto failures = network().add_routes(std::vector<Route>{to(index, "fd50::/64"), to(index, "10.50.0.0/24")});
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(ours(), UnorderedElementsAreArray({to(index, "10.50.0.0/24")}));
}

TEST_P(NetworkConformance, MtuTooSmallForIpv6TakesItAway) {
  const std::uint32_t index = add_tunnel_that_is_up("tun7", "10.44.0.7/24");
  ASSERT_TRUE(network().add_address(index, interface_address("fd44::7/64"), PrefixRoute::kAdd));
  const std::vector<Route> routes = {to(index, "10.50.0.0/24"), to(index, "fd50::/64")};
  expect_in_place(network().add_routes(routes));
  ASSERT_TRUE(network().set_link(index, {.mtu = 1279, .up = {}, .alias = {}}));
  EXPECT_THAT(ours(), UnorderedElementsAreArray({routes[0]}));
  EXPECT_THAT(network().addresses(index).value(), SizeIs(1));
  const auto refused = network().add_address(index, interface_address("fd44::7/64"), PrefixRoute::kAdd);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported) << refused.error().message;
  const auto failures = network().add_routes(routes);
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].error.code, ErrorCode::kUnsupported) << failures[0].error.message;
}

TEST_P(NetworkConformance, F38RulesDecideWhereBearerPacketsGo) {
  const std::uint32_t uplink = add_tunnel_that_is_up("uplink", "192.0.2.1/24");
  const std::uint32_t tunnel = add_tunnel_that_is_up("tun7", "10.44.0.7/24");
  add_foreign_route(to(uplink, "0.0.0.0/0", kMainTable));
  const std::vector<model::IpPrefix> throws = {prefix("192.168.122.0/24")};
  PolicyRoutingInput input;
  input.production_listen_port = 4296;
  input.side_listen_port = 4297;
  input.throw_ranges = throws;
  const PolicyRouting routing = policy_routing(input).value();
  expect_in_place(network().add_routes(routing.throws));
  for (const Rule& rule : routing.rules) ASSERT_TRUE(network().add_rule(rule));
  for (const Rule& rule : routing.rules) ASSERT_TRUE(network().add_rule(rule));
  EXPECT_THAT(network().rules(kRouteProtocol).value(), UnorderedElementsAreArray(routing.rules));
  expect_in_place(network().add_routes(std::vector<Route>{to(tunnel, "0.0.0.0/0")}));

  RouteQuery query;
  query.destination = ip("198.51.100.9");
  EXPECT_EQ(network().route_to(query).value().ifindex, tunnel);
  EXPECT_EQ(network().route_to(query).value().table, 214u);
  EXPECT_EQ(network().route_to(query).value().source, ip("10.44.0.7"));
  query.ip_protocol = 17;
  query.source_port = 4296;
  EXPECT_EQ(network().route_to(query).value().ifindex, uplink);
  query.source_port = 4298;
  EXPECT_EQ(network().route_to(query).value().ifindex, tunnel);
  query.destination = ip("192.168.122.5");
  EXPECT_EQ(network().route_to(query).value().ifindex, uplink);
  query.destination = ip("10.44.0.7");
  EXPECT_EQ(network().route_to(query).value().ifindex, 1u) << "our own address";

  for (const Rule& rule : routing.rules) ASSERT_TRUE(network().remove_rule(rule));
  for (const Rule& rule : routing.rules) ASSERT_TRUE(network().remove_rule(rule));
  EXPECT_THAT(network().rules(kRouteProtocol).value(), IsEmpty());
  query.destination = ip("198.51.100.9");
  EXPECT_EQ(network().route_to(query).value().ifindex, uplink);
  ASSERT_TRUE(network().delete_link(uplink));
  EXPECT_EQ(network().route_to(query).error().code, ErrorCode::kUnreachable);
}

}  // namespace
}  // namespace anubis::network

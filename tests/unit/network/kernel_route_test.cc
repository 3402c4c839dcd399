#include <vector>

#include "tests/unit/network/kernel_fixture.h"

namespace anubis::network {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAreArray;

std::string both_tables(const std::string& table) {
  return output_of("ip route show table " + table) + output_of("ip -6 route show table " + table);
}

class KernelRoute : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped()) return;
    add_tunnel("tun7", "10.44.0.7/32");
    add_tunnel("tun8", "10.8.0.1/32");
  }
};

TEST_F(KernelRoute, AreAddedToEitherTableSeenFromOutsideAndRemoved) {
  for (const std::uint32_t table : {std::uint32_t{214}, kMainTable, std::uint32_t{100'000}}) {
    const std::string name = std::to_string(table);
    const std::string before = both_tables(name);
    const std::vector<Route> routes = {route("10.50.0.0/24", "tun7", table), route("fd50::/64", "tun7", table)};
    expect_in_place(network_->add_routes(routes));
    EXPECT_THAT(both_tables(name), HasSubstr("10.50.0.0/24 dev tun7 proto 214"));
    EXPECT_THAT(both_tables(name), HasSubstr("fd50::/64 dev tun7 proto 214 metric 1024"));
    EXPECT_THAT(network_->routes({kRouteProtocol, table}).value(), UnorderedElementsAreArray(routes));
    expect_in_place(network_->remove_routes(routes));
    if (table == kMainTable) {
      EXPECT_EQ(both_tables(name), before);
    }
    EXPECT_THAT(network_->routes({{}, table}).value(), Not(testing::IsSupersetOf(routes)));
    EXPECT_THAT(network_->routes({kRouteProtocol, {}}).value(), IsEmpty());
  }
}

TEST_F(KernelRoute, DefaultRoutesAndThrowsAreRoutesLikeOthers) {
  const std::vector<Route> routes = {route("0.0.0.0/0", "tun7"), route("::/0", "tun7"), throw_route("192.168.122.0/24"),
                                     throw_route("fd77::/16")};
  expect_in_place(network_->add_routes(routes));
  EXPECT_THAT(both_tables("214"), HasSubstr("default dev tun7"));
  EXPECT_THAT(both_tables("214"), HasSubstr("throw 192.168.122.0/24 proto 214"));
  EXPECT_THAT(both_tables("214"), HasSubstr("throw fd77::/16 dev lo proto 214"));
  EXPECT_THAT(network_->routes({kRouteProtocol, 214}).value(), UnorderedElementsAreArray(routes));
  expect_in_place(network_->remove_routes(routes));
  EXPECT_THAT(network_->routes({kRouteProtocol, {}}).value(), IsEmpty());
}

TEST_F(KernelRoute, AddingAndRemovingMayBeRepeated) {
  const std::vector<Route> routes = {route("10.50.0.0/24", "tun7"), route("fd50::/64", "tun7"),
                                     throw_route("10.51.0.0/24"), throw_route("fd51::/64")};
  expect_in_place(network_->add_routes(routes));
  expect_in_place(network_->add_routes(routes));
  EXPECT_THAT(network_->routes({kRouteProtocol, {}}).value(), UnorderedElementsAreArray(routes));
  expect_in_place(network_->remove_routes(routes));
  expect_in_place(network_->remove_routes(routes));
}

TEST_F(KernelRoute, MetricIsKept) {
  Route with_metric = route("10.50.0.0/24", "tun7");
  with_metric.metric = 77;
  Route with_metric6 = route("fd50::/64", "tun7");
  with_metric6.metric = 77;
  const std::vector<Route> routes = {with_metric, with_metric6};
  expect_in_place(network_->add_routes(routes));
  EXPECT_THAT(network_->routes({kRouteProtocol, 214}).value(), UnorderedElementsAreArray(routes));
  expect_in_place(network_->remove_routes(routes));
  EXPECT_THAT(network_->routes({kRouteProtocol, 214}).value(), IsEmpty());
}

TEST_F(KernelRoute, ForeignOneIsNeverReplacedAndItsHolderIsNamed) {
  run("ip route add 10.50.0.0/24 dev tun8 proto static");
  run("ip -6 route add fd50::/64 dev tun8 proto bird metric 1024");
  const std::vector<Route> routes = {route("10.50.0.0/24", "tun7", kMainTable),
                                     route("10.51.0.0/24", "tun7", kMainTable), route("fd50::/64", "tun7", kMainTable)};
  const auto failures = network_->add_routes(routes);
  ASSERT_THAT(failures, SizeIs(2));
  EXPECT_EQ(failures[0].index, 0u);
  EXPECT_EQ(failures[0].error.code, ErrorCode::kExists);
  EXPECT_THAT(failures[0].error.message,
              HasSubstr("10.50.0.0/24 to tun8 in table main (protocol static) stands in its"));
  EXPECT_EQ(failures[1].index, 2u);
  EXPECT_THAT(failures[1].error.message, HasSubstr("fd50::/64 to tun8 in table main (protocol bird)"));
  EXPECT_THAT(both_tables("main"), HasSubstr("10.50.0.0/24 dev tun8 proto static"));
  EXPECT_THAT(both_tables("main"), HasSubstr("fd50::/64 dev tun8 proto bird"));
  EXPECT_THAT(both_tables("main"), HasSubstr("10.51.0.0/24 dev tun7 proto 214"));
  EXPECT_THAT(all_in_place(failures).error().message, HasSubstr("(and 1 more failed)"));
}

TEST_F(KernelRoute, DefaultRouteOfTheHostIsNeverReplaced) {
  run("ip link add v0 type veth peer name v1");
  run("ip address add 192.0.2.1/24 dev v0");
  run("ip link set v0 up");
  run("ip link set v1 up");
  run("ip route add default via 192.0.2.254 proto dhcp");
  const std::vector<Route> routes = {route("0.0.0.0/0", "tun7", kMainTable)};
  const auto failures = network_->add_routes(routes);
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_THAT(failures[0].error.message, HasSubstr("0.0.0.0/0 via 192.0.2.254 to v0 in table main (protocol dhcp)"));
  EXPECT_EQ(output_of("ip route show default"), "default via 192.0.2.254 dev v0 proto dhcp \n");
}

TEST_F(KernelRoute, ForeignOnesAreNeverRemoved) {
  run("ip route add 10.50.0.0/24 dev tun7 table 214");
  run("ip -6 route add fd50::/64 dev tun7 table 214");
  run("ip route add throw 10.51.0.0/24 table 214");
  run("ip -6 route add throw fd51::/64 table 214");
  const std::string before = both_tables("214");
  expect_in_place(network_->remove_routes(std::vector<Route>{route("10.50.0.0/24", "tun7"), route("fd50::/64", "tun7"),
                                                             throw_route("10.51.0.0/24"), throw_route("fd51::/64"),
                                                             throw_route("10.50.0.0/24"), throw_route("fd50::/64")}));
  EXPECT_EQ(both_tables("214"), before);
}

TEST_F(KernelRoute, OursIsRemovedWithItsLinkTableAndKindOnly) {
  const std::vector<Route> routes = {route("10.50.0.0/24", "tun7"), route("fd50::/64", "tun7"),
                                     throw_route("10.51.0.0/24"), throw_route("fd51::/64")};
  expect_in_place(network_->add_routes(routes));
  expect_in_place(network_->remove_routes(std::vector<Route>{
      route("10.50.0.0/24", "tun8"), route("fd50::/64", "tun8"), route("10.50.0.0/24", "tun7", kMainTable),
      route("fd50::/64", "tun7", kMainTable), throw_route("10.50.0.0/24"), throw_route("fd50::/64"),
      route("10.51.0.0/24", "tun7"), route("fd51::/64", "tun7")}));
  EXPECT_THAT(network_->routes({kRouteProtocol, 214}).value(), UnorderedElementsAreArray(routes));
}

TEST_F(KernelRoute, PrefixRouteOfTheLinksOwnAddressServesAsOne) {
  run("ip address add 10.60.0.1/24 dev tun7");
  const std::vector<Route> routes = {route("10.60.0.0/24", "tun7", kMainTable)};
  expect_in_place(network_->add_routes(routes));
  expect_in_place(network_->remove_routes(routes));
  EXPECT_THAT(both_tables("main"), HasSubstr("10.60.0.0/24 dev tun7 proto kernel"));
}

TEST_F(KernelRoute, F46OnesThatVanishedSilentlyAreMissedAndComeBack) {
  const std::vector<Route> routes = {route("10.50.0.0/24", "tun7"), route("fd50::/64", "tun7")};
  const std::vector<Route> ipv6_only = {routes[1]};
  expect_in_place(network_->add_routes(routes));
  run("ip address delete 10.44.0.7/32 dev tun7");
  EXPECT_THAT(network_->routes({kRouteProtocol, {}}).value(), UnorderedElementsAreArray(ipv6_only));
  run("ip link set tun7 down");
  EXPECT_THAT(network_->routes({kRouteProtocol, {}}).value(), IsEmpty());

  const auto failures = network_->add_routes(routes);
  ASSERT_THAT(failures, SizeIs(2)) << "the link is down";
  EXPECT_EQ(failures[0].error.code, ErrorCode::kUnreachable);
  EXPECT_THAT(failures[0].error.message, HasSubstr("cannot add route 10.50.0.0/24 to tun7 in table 214"));
  run("ip link set tun7 up");
  expect_in_place(network_->add_routes(routes));
  EXPECT_THAT(network_->routes({kRouteProtocol, {}}).value(), UnorderedElementsAreArray(routes));
}

TEST_F(KernelRoute, F45ToADeletedLinkFailAndNeedNotBeRemoved) {
  const std::vector<Route> routes = {route("10.50.0.0/24", "tun7"), route("fd50::/64", "tun7")};
  expect_in_place(network_->add_routes(routes));
  run("ip link delete tun7");
  expect_in_place(network_->remove_routes(routes));
  const auto failures = network_->add_routes(routes);
  ASSERT_THAT(failures, SizeIs(2));
  EXPECT_EQ(failures[0].error.code, ErrorCode::kNotFound) << failures[0].error.message;
  EXPECT_EQ(failures[1].error.code, ErrorCode::kNotFound) << failures[1].error.message;
}

TEST_F(KernelRoute, WhereIpv6IsOffAreUnsupportedAndIpv4Works) {
  run("sysctl -qw net.ipv6.conf.tun7.disable_ipv6=1");
  const std::vector<Route> routes = {route("fd50::/64", "tun7"), route("10.50.0.0/24", "tun7")};
  const auto failures = network_->add_routes(routes);
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].index, 0u);
  EXPECT_EQ(failures[0].error.code, ErrorCode::kUnsupported) << failures[0].error.message;
  EXPECT_THAT(both_tables("214"), HasSubstr("10.50.0.0/24 dev tun7"));
}

TEST_F(KernelRoute, OthersOfTheTableAreListedWithoutThoseThatNeedAGateway) {
  run("ip route add 10.50.0.0/24 via 10.8.0.254 dev tun8 onlink table 214");
  run("ip route add blackhole 10.51.0.0/24 table 214");
  run("ip route add 10.52.0.0/24 dev tun8 proto static table 214");
  Route foreign = route("10.52.0.0/24", "tun8");
  foreign.protocol = 4;
  EXPECT_THAT(network_->routes({{}, 214}).value(), UnorderedElementsAreArray({foreign}));
}

TEST_F(KernelRoute, ThousandsGoInOneCallAndBackOut) {
  std::vector<Route> routes;
  for (int i = 0; i < 4000; ++i)
    routes.push_back(route("10." + std::to_string(100 + i / 250) + "." + std::to_string(i % 250) + ".0/24", "tun7"));
  expect_in_place(network_->add_routes(routes));
  EXPECT_THAT(network_->routes({kRouteProtocol, 214}).value(), SizeIs(routes.size()));
  expect_in_place(network_->add_routes(routes));
  expect_in_place(network_->remove_routes(routes));
  EXPECT_THAT(network_->routes({kRouteProtocol, {}}).value(), IsEmpty());
}

}  // namespace
}  // namespace anubis::network

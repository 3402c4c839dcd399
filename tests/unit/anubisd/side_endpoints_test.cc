#include "anubisd/side_endpoints.h"

#include <chrono>
#include <vector>

#include "lib/base/random.h"
#include "tests/unit/anubisd/fake_netd.h"
#include "tests/unit/anubisd/loop_fixture.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using model::PeerIndex;
using testing::ElementsAre;
using testing::IsEmpty;

model::Peer peer_at(std::string_view side_endpoint) {
  return {.name = "jacinth", .side_endpoint = *model::HostPort::parse(side_endpoint)};
}

class SideEndpointsTest : public LoopTest {
 protected:
  PeerIndex configure(std::string_view side_endpoint) {
    directory_.replace({peer_at(side_endpoint)});
    return *directory_.find_by_name("jacinth");
  }

  model::InMemoryDirectory directory_;
  FakeNetd netd_;
  base::SystemRandom random_;
  Resolver resolver_{loop_, [this](const model::IpAddress& to) { return netd_.check_bearer_way(to).has_value(); }};
  std::vector<PeerIndex> found_;
  PeerPorts ports_{directory_};
  SideEndpoints side_endpoints_{
      loop_, directory_, netd_, ports_, resolver_, random_, [this](PeerIndex peer) { found_.push_back(peer); }};
};

TEST_F(SideEndpointsTest, ANameIsResolvedAndSetOnce) {
  const PeerIndex peer = configure("localhost:4297");
  side_endpoints_.follow(peer);
  ASSERT_TRUE(run_until([&] { return !found_.empty(); }));
  EXPECT_THAT(found_, ElementsAre(peer));
  ASSERT_EQ(netd_.side_endpoints.size(), 1u);
  EXPECT_EQ(netd_.side_endpoints[0].first, peer);
  EXPECT_TRUE(netd_.side_endpoints[0].second.address.is_loopback());
  EXPECT_EQ(netd_.side_endpoints[0].second.port, 4297);
}

TEST_F(SideEndpointsTest, AnAddressIsLeftToNetd) {
  side_endpoints_.follow(configure("192.0.2.1:4297"));
  run_for(30ms);
  EXPECT_THAT(netd_.side_endpoints, IsEmpty());
  EXPECT_THAT(found_, IsEmpty());
}

TEST_F(SideEndpointsTest, ASilentPeersEndpointIsSetAgain) {
  const PeerIndex by_address = configure("192.0.2.1:4297");
  side_endpoints_.follow(by_address);
  side_endpoints_.unheard(by_address, 3);
  ASSERT_EQ(netd_.side_endpoints.size(), 1u);
  EXPECT_EQ(netd_.side_endpoints[0].second.to_string(), "192.0.2.1:4297");
  const PeerIndex by_name = configure("localhost:4297");
  side_endpoints_.follow(by_name);
  side_endpoints_.unheard(by_name, 3);  // it is not known yet where
  ASSERT_TRUE(run_until([&] { return !found_.empty(); }));
  EXPECT_EQ(netd_.side_endpoints.size(), 2u);
  side_endpoints_.unheard(by_name, 3);
  ASSERT_EQ(netd_.side_endpoints.size(), 3u);
  EXPECT_EQ(netd_.side_endpoints[2].second.to_string(), netd_.side_endpoints[1].second.to_string());
}

class SideEndpointsPortsTest : public SideEndpointsTest {
 protected:
  SideEndpointsPortsTest() {
    auto peer = peer_at("192.0.2.1:4297");
    peer.endpoint_ports = {53, 443};
    directory_.replace({peer});
    side_endpoints_.follow(jacinth_);
  }
  void unheard(unsigned from, unsigned to) {
    for (unsigned times = from; times <= to; ++times) side_endpoints_.unheard(jacinth_, times);
  }
  [[nodiscard]] std::vector<std::uint16_t> ports_set() const {
    std::vector<std::uint16_t> ports;
    ports.reserve(netd_.side_endpoints.size());
    for (const auto& [peer, endpoint] : netd_.side_endpoints) ports.push_back(endpoint.port);
    return ports;
  }
  void side_tunnel_is_at(std::uint16_t port, wireguard::HandshakeTime handshake) {
    netd_.reports[{netd::Interface::kSide, jacinth_}] = {
        .peer = jacinth_,
        .endpoint = model::Endpoint{.address = *model::IpAddress::parse("192.0.2.1"), .port = port},
        .latest_handshake = handshake};
  }

  const PeerIndex jacinth_{};
};

TEST_F(SideEndpointsPortsTest, OtherPortsAreTriedInTurnWhileNoHandshakeComes) {
  unheard(3, 7);
  EXPECT_THAT(ports_set(), ElementsAre(4297, 53, 443, 4297, 53));
}

TEST_F(SideEndpointsPortsTest, ATunnelThatShookHandsKeepsItsPort) {
  unheard(3, 4);
  side_tunnel_is_at(53, wireguard::HandshakeTime(1s));
  unheard(5, 6);
  EXPECT_THAT(ports_set(), ElementsAre(4297, 53, 53));
}

TEST_F(SideEndpointsPortsTest, AnotherNetworkBeginsWithThePortThatWorkedLast) {
  unheard(3, 4);
  ports_.works(jacinth_);
  side_endpoints_.network_changed();
  EXPECT_THAT(ports_set(), ElementsAre(4297, 53));
  unheard(3, 5);
  EXPECT_THAT(ports_set(), ElementsAre(4297, 53, 53, 4297, 443));
  side_endpoints_.network_changed();
  EXPECT_EQ(ports_set().back(), 53);
}

TEST_F(SideEndpointsPortsTest, ThePortThatAnEarlierDaemonFoundIsUsed) {
  side_tunnel_is_at(443, {});
  side_endpoints_.adopt_ports();
  unheard(3, 3);
  EXPECT_THAT(ports_set(), ElementsAre(443));
}

// The endpoint of a reload counts, not the one whose answer comes late.
TEST_F(SideEndpointsTest, AChangedNameIsFollowedTheOldOneForgotten) {
  const PeerIndex peer = configure("localhost:1111");
  side_endpoints_.follow(peer);
  ASSERT_EQ(configure("localhost:2222"), peer);
  side_endpoints_.follow(peer);
  ASSERT_TRUE(run_until([&] { return !found_.empty(); }));
  run_for(30ms);
  ASSERT_EQ(netd_.side_endpoints.size(), 1u);
  EXPECT_EQ(netd_.side_endpoints[0].second.port, 2222);
}

TEST_F(SideEndpointsTest, APeerThatHasGoneIsNotTouched) {
  const PeerIndex peer = configure("localhost:4297");
  side_endpoints_.follow(peer);
  directory_.replace({});
  side_endpoints_.forget(peer);
  run_for(50ms);
  EXPECT_THAT(netd_.side_endpoints, IsEmpty());
}

}  // namespace
}  // namespace anubis::daemon

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
  Resolver resolver_{loop_};
  std::vector<PeerIndex> found_;
  SideEndpoints side_endpoints_{loop_,     directory_, netd_,
                                resolver_, random_,    [this](PeerIndex peer) { found_.push_back(peer); }};
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
  side_endpoints_.renew(by_address);
  ASSERT_EQ(netd_.side_endpoints.size(), 1u);
  EXPECT_EQ(netd_.side_endpoints[0].second.to_string(), "192.0.2.1:4297");
  const PeerIndex by_name = configure("localhost:4297");
  side_endpoints_.follow(by_name);
  side_endpoints_.renew(by_name);  // it is not known yet where
  ASSERT_TRUE(run_until([&] { return !found_.empty(); }));
  EXPECT_EQ(netd_.side_endpoints.size(), 2u);
  side_endpoints_.renew(by_name);
  ASSERT_EQ(netd_.side_endpoints.size(), 3u);
  EXPECT_EQ(netd_.side_endpoints[2].second.to_string(), netd_.side_endpoints[1].second.to_string());
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

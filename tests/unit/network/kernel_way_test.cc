// What the kernel says of the way of a packet, and which of its rules is told as the one that led there.
#include <netinet/in.h>

#include "lib/network/way.h"
#include "tests/unit/network/kernel_fixture.h"

namespace anubis::network {
namespace {

class KernelWay : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped()) return;
    add_tunnel("wg0", "10.44.0.7/24");
    run("ip address add fd44::7/64 dev wg0 nodad");
    add_tunnel("eth0", "192.0.2.7/24");
    run("ip route add default via 192.0.2.1 dev eth0 mtu 1400");
    for (const std::string family : {"-4", "-6"}) {
      run("ip " + family + " rule add priority 21400 iif lo ipproto udp sport 4296 lookup main");
      run("ip " + family + " rule add priority 21405 fwmark 7 lookup 214");
      run("ip " + family + " rule add priority 21410 lookup 214");
    }
    run("ip route add 10.45.0.0/16 dev wg0 table 214");
    run("ip -6 route add fd45::/64 dev wg0 table 214");
    run("ip route add throw 10.45.7.0/24 table 214");
    auto created = WayFinder::create();
    ASSERT_TRUE(created) << created.error().message;
    finder_.emplace(std::move(*created));
  }
  [[nodiscard]] Way way(std::string_view to) {
    const auto destination = ip(to);
    const bool is_v4 = destination.family() == model::Family::kV4;
    const auto found = finder_->way_to(destination, is_v4 ? std::uint8_t{IPPROTO_ICMP} : std::uint8_t{IPPROTO_ICMPV6});
    EXPECT_TRUE(found) << found.error().message;
    return found.value_or(Way{});
  }

  std::optional<WayFinder> finder_;
};

TEST_F(KernelWay, IsToldWithTheRouteThatMatchesAndTheRuleThatLedThere) {
  const Way tunnel = way("10.45.1.1");
  EXPECT_EQ(tunnel.interface, "wg0");
  EXPECT_EQ(tunnel.mtu, 1500u);
  EXPECT_EQ(tunnel.table, 214u);
  EXPECT_EQ(tunnel.prefix, prefix("10.45.0.0/16"));
  EXPECT_EQ(tunnel.gateway, std::nullopt);
  EXPECT_EQ(tunnel.source, ip("10.44.0.7"));
  EXPECT_EQ(tunnel.rule_priority, 21410u);
  const Way six = way("fd45::1");
  EXPECT_EQ(six.interface, "wg0");
  EXPECT_EQ(six.table, 214u);
  EXPECT_EQ(six.prefix, prefix("fd45::/64"));
  EXPECT_EQ(six.rule_priority, 21410u);
}

TEST_F(KernelWay, OfWhatIsThrownIsTheNextRules) {
  const Way thrown = way("10.45.7.1");
  EXPECT_EQ(thrown.interface, "eth0");
  EXPECT_EQ(thrown.table, kMainTable);
  EXPECT_EQ(thrown.prefix, prefix("0.0.0.0/0"));
  EXPECT_EQ(thrown.gateway, ip("192.0.2.1"));
  EXPECT_EQ(thrown.rule_priority, 32766u);
}

TEST_F(KernelWay, RulesThatAskForMoreOrSuppressWhatWasFoundAreNotTheOnes) {
  run("ip rule add priority 100 lookup main suppress_prefixlength 0");
  run("ip rule add priority 90 to 203.0.113.0/24 lookup main");
  run("ip rule add priority 80 from 192.0.2.7 lookup main");
  run("ip rule add priority 70 uidrange 4000000-4000001 lookup main");
  run("ip rule add priority 60 not to 192.0.2.0/24 ipproto tcp lookup main");
  EXPECT_EQ(way("192.0.2.9").rule_priority, 60u) << "inverted: all that is not both";
  run("ip rule delete priority 60");
  EXPECT_EQ(way("192.0.2.9").rule_priority, 100u);
  EXPECT_EQ(way("203.0.113.9").rule_priority, 90u);
  EXPECT_EQ(way("198.51.100.9").rule_priority, 32766u) << "a default route is suppressed";
}

TEST_F(KernelWay, OfNowhereIsUnreachable) {
  run("ip route delete default");
  const auto none = finder_->way_to(ip("198.51.100.9"), IPPROTO_ICMP);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, base::ErrorCode::kUnreachable);
}

}  // namespace
}  // namespace anubis::network

#include "tests/unit/network/kernel_fixture.h"

namespace anubis::network {
namespace {

using base::ErrorCode;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

class KernelAddress : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (!IsSkipped()) add_tunnel("tun7");
  }
};

TEST_F(KernelAddress, IsAddedOnceAndIsOurs) {
  const std::uint32_t index = index_of("tun7");
  for (const char* text : {"10.44.0.7/24", "fd44::7/64"}) {
    const auto address = interface_address(text);
    const auto added = network_->add_address(index, address, PrefixRoute::kAdd);
    ASSERT_TRUE(added) << added.error().message;
    EXPECT_TRUE(network_->add_address(index, address, PrefixRoute::kAdd)) << "again";
    EXPECT_THAT(output_of("ip address show tun7"), HasSubstr(text));
    EXPECT_THAT(network_->addresses(index).value(), Contains(Address{address, kRouteProtocol}));
  }
  EXPECT_THAT(output_of("ip route"), HasSubstr("10.44.0.0/24 dev tun7"));
  EXPECT_THAT(output_of("ip -6 route"), HasSubstr("fd44::/64 dev tun7"));
}

TEST_F(KernelAddress, OfIpv6IsUsableAtOnce) {
  // Duplicate address detection takes place where there is a link layer.
  run("ip link add v0 type veth peer name v1");
  run("ip link set v0 up");
  run("ip link set v1 up");
  ASSERT_TRUE(network_->add_address(index_of("v0"), interface_address("fd44::7/64"), PrefixRoute::kAdd));
  EXPECT_THAT(output_of("ip -6 address show dev v0 scope global"), HasSubstr("fd44::7/64"));
  EXPECT_THAT(output_of("ip -6 address show dev v0 scope global"), Not(HasSubstr("tentative")));
}

TEST_F(KernelAddress, WithoutPrefixRouteLeavesTheTablesAlone) {
  const std::uint32_t index = index_of("tun7");
  ASSERT_TRUE(network_->add_address(index, interface_address("10.44.0.7/24"), PrefixRoute::kNone));
  ASSERT_TRUE(network_->add_address(index, interface_address("fd44::7/64"), PrefixRoute::kNone));
  EXPECT_THAT(output_of("ip route"), Not(HasSubstr("10.44.0.0/24")));
  EXPECT_THAT(output_of("ip -6 route"), Not(HasSubstr("fd44::/64")));
}

TEST_F(KernelAddress, OfIpv6WithAnotherLengthIsToldAsThere) {
  const std::uint32_t index = index_of("tun7");
  run("ip address add fd44::7/48 dev tun7");
  const auto status = network_->add_address(index, interface_address("fd44::7/64"), PrefixRoute::kAdd);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kExists);
}

TEST_F(KernelAddress, ForeignOneIsToldApart) {
  run("ip address add 10.9.0.1/24 dev tun7");
  EXPECT_THAT(network_->addresses(index_of("tun7")).value(),
              Contains(Address{interface_address("10.9.0.1/24"), std::uint8_t{0}}));
}

TEST_F(KernelAddress, OfOtherLinksIsNotListed) {
  add_tunnel("tun8", "10.8.0.1/24");
  EXPECT_THAT(network_->addresses(index_of("tun7")).value(),
              Not(Contains(Field(&Address::address, interface_address("10.8.0.1/24")))));
}

TEST_F(KernelAddress, RemovalMayBeRepeatedAndOutlivesTheLink) {
  const std::uint32_t index = index_of("tun7");
  for (const char* text : {"10.44.0.7/24", "fd44::7/64"}) {
    const auto address = interface_address(text);
    ASSERT_TRUE(network_->add_address(index, address, PrefixRoute::kAdd));
    ASSERT_TRUE(network_->remove_address(index, address));
    EXPECT_THAT(output_of("ip address show tun7"), Not(HasSubstr(text)));
    EXPECT_TRUE(network_->remove_address(index, address));
  }
  run("ip link delete tun7");
  EXPECT_TRUE(network_->remove_address(index, interface_address("10.44.0.7/24")));
  EXPECT_TRUE(network_->remove_address(index, interface_address("fd44::7/64")));
  EXPECT_TRUE(network_->addresses(index).value().empty());
}

TEST_F(KernelAddress, WhereIpv6IsOffIsUnsupportedAndIpv4Works) {
  run("sysctl -qw net.ipv6.conf.tun7.disable_ipv6=1");
  const std::uint32_t index = index_of("tun7");
  const auto status = network_->add_address(index, interface_address("fd44::7/64"), PrefixRoute::kAdd);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kUnsupported) << status.error().message;
  EXPECT_THAT(status.error().message, HasSubstr("IPv6 is switched off for this link"));
  EXPECT_TRUE(network_->add_address(index, interface_address("10.44.0.7/24"), PrefixRoute::kAdd));
}

}  // namespace
}  // namespace anubis::network

#include "tests/unit/network/kernel_fixture.h"

namespace anubis::network {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testing::Not;

class KernelLink : public KernelTest {};

TEST_F(KernelLink, IsFoundByNameAndByIndexWithItsKind) {
  run("ip link add br7 mtu 1400 type bridge");
  const auto link = network_->link("br7");
  ASSERT_TRUE(link && *link);
  EXPECT_EQ((*link)->name, "br7");
  EXPECT_EQ((*link)->kind, "bridge");
  EXPECT_EQ((*link)->mtu, 1400u);
  EXPECT_FALSE((*link)->up);
  EXPECT_EQ(network_->link_at((*link)->index).value(), *link);
}

TEST_F(KernelLink, ThatIsAbsentIsNoError) {
  const auto by_name = network_->link("nowhere");
  ASSERT_TRUE(by_name) << by_name.error().message;
  EXPECT_FALSE(*by_name);
  const auto by_index = network_->link_at(4711);
  ASSERT_TRUE(by_index) << by_index.error().message;
  EXPECT_FALSE(*by_index);
}

TEST_F(KernelLink, NameThatIsTooLongIsRefusedWithTheReason) {
  const auto link = network_->link("sixteen-letters-");
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(link.error().message, HasSubstr("1 to 15 characters"));
}

TEST_F(KernelLink, TakesSettingsOneByOne) {
  run("ip tuntap add tun7 mode tun");
  const std::uint32_t index = index_of("tun7");
  ASSERT_TRUE(network_->set_link(index, {.mtu = 1420, .up = {}, .alias = "anubis: production"}));
  EXPECT_THAT(output_of("ip link show tun7"), HasSubstr("alias anubis: production"));
  EXPECT_THAT(output_of("ip link show tun7"), HasSubstr("mtu 1420"));
  EXPECT_FALSE(network_->link("tun7").value()->up);
  ASSERT_TRUE(network_->set_link(index, {.mtu = {}, .up = true, .alias = {}}));
  const auto link = network_->link("tun7").value();
  EXPECT_TRUE(link->up);
  EXPECT_EQ(link->mtu, 1420u);
  EXPECT_EQ(link->alias, "anubis: production");
  ASSERT_TRUE(network_->set_link(index, {.mtu = {}, .up = false, .alias = ""}));
  EXPECT_FALSE(network_->link("tun7").value()->up);
  EXPECT_THAT(output_of("ip link show tun7"), Not(HasSubstr("alias")));
}

TEST_F(KernelLink, RefusalCarriesTheKernelsOwnWords) {
  run("ip tuntap add tun7 mode tun");
  const auto status = network_->set_link(index_of("tun7"), {.mtu = 10, .up = {}, .alias = {}});
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("cannot change tun7 to MTU 10"));
  EXPECT_THAT(status.error().message, HasSubstr("mtu less than device minimum"));
}

TEST_F(KernelLink, F45ChangeOfADeletedOneIsNotFound) {
  run("ip tuntap add tun7 mode tun");
  const std::uint32_t index = index_of("tun7");
  run("ip link delete tun7");
  const auto status = network_->set_link(index, {.mtu = {}, .up = true, .alias = {}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
}

TEST_F(KernelLink, DeletionMayBeRepeated) {
  run("ip link add br7 type bridge");
  const std::uint32_t index = index_of("br7");
  ASSERT_TRUE(network_->delete_link(index));
  EXPECT_FALSE(succeeds("ip link show br7"));
  EXPECT_TRUE(network_->delete_link(index));
}

TEST_F(KernelLink, WireGuardIsCreatedWithItsMarkOrSaidToBeMissing) {
  const bool supported = succeeds("ip link add probe type wireguard");
  const auto link = network_->create_wireguard_link("wg7", "anubis: production");
  if (supported) {
    ASSERT_TRUE(link) << link.error().message;
    EXPECT_EQ(link->kind, "wireguard");
    EXPECT_EQ(link->alias, "anubis: production");
    EXPECT_THAT(output_of("ip -details link show wg7"), HasSubstr("wireguard"));
    EXPECT_THAT(output_of("ip link show wg7"), HasSubstr("alias anubis: production"));
  } else {
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(link.error().message, HasSubstr("this kernel has no WireGuard"));
  }
}

TEST_F(KernelLink, CreationLeavesAForeignOneOfThatNameAlone) {
  run("ip link add wg7 type bridge");
  run("ip link set wg7 alias theirs");
  const auto link = network_->create_wireguard_link("wg7", "anubis: production");
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().code, ErrorCode::kExists);
  EXPECT_EQ(network_->link("wg7").value()->alias, "theirs");
}

}  // namespace
}  // namespace anubis::network

#include "lib/wireguard/device.h"

#include <limits>

#include <gtest/gtest.h>

#include "lib/wireguard/interface_name.h"
#include "lib/wireguard/kernel_device.h"
#include "lib/wireguard/testing/fake_device.h"
#include "lib/wireguard/userspace_device.h"
#include "tests/unit/wireguard/support.h"

namespace anubis::wireguard {
namespace {

using testing::FakeDevice;

TEST(Device, SamePrivateKeyIsNotWrittenAgain) {
  FakeDevice device;
  const auto own = private_key(1);
  ASSERT_TRUE(device.configure({&own, 4296, 7}));
  ASSERT_TRUE(device.configure({&own, 4297, 7}));
  EXPECT_EQ(device.private_key_writes(), 1u);
  EXPECT_EQ(device.info().value().listen_port, 4297);
}

TEST(Device, DifferenceNamesOnlyWhatDiffers) {
  const auto own = private_key(1);
  const DeviceInfo present{.public_key = public_key(1), .listen_port = 4296, .fwmark = 7, .ifindex = 3};
  EXPECT_FALSE(differing_from(present, {&own, 4296, 7}));
  EXPECT_FALSE(differing_from(present, {}));
  EXPECT_FALSE(differing_from(present, {nullptr, 0, {}})) << "any port will do, and it has one";
  const auto port = differing_from(present, {&own, 4297, 7}).value();
  EXPECT_EQ(port.private_key, nullptr);
  EXPECT_EQ(port.listen_port, 4297);
  EXPECT_EQ(port.fwmark, std::nullopt);
  const auto mark = differing_from(present, {&own, 4296, 0}).value();
  EXPECT_EQ(mark.listen_port, std::nullopt);
  EXPECT_EQ(mark.fwmark, 0u);
  const auto other = private_key(2);
  EXPECT_EQ(differing_from(present, {&other, 4296, 7}).value().private_key, &other);
}

TEST(Device, F44DisturbedDumpIsTakenAgainAndHoldsEachPeerOnce) {
  FakeDevice device;
  std::vector<PeerChange> changes;
  for (std::uint32_t i = 0; i < 10; ++i) changes.push_back({.public_key = cheap_key(i)});
  ASSERT_TRUE(device.apply(changes).empty());
  device.disturb_dumps(3);
  EXPECT_EQ(device.dump().value().peers.size(), 10u);
  EXPECT_EQ(device.dumps(), 4u);
}

TEST(Device, F44DumpDisturbedForEverIsAnError) {
  FakeDevice device;
  device.disturb_dumps(1000);
  EXPECT_EQ(device.dump().error().code, base::ErrorCode::kBusy);
  EXPECT_LE(device.dumps(), 10u);
}

TEST(Device, F52HandshakeTimesOutOfRangeAreCut) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(to_handshake_time(0, 0), HandshakeTime{});
  EXPECT_EQ(to_handshake_time(1, 5).time_since_epoch().count(), 1'000'000'005);
  EXPECT_GT(to_handshake_time(kMost, kMost), to_handshake_time(4'000'000'000, 0));
  EXPECT_EQ(to_handshake_time(kLeast, kLeast), HandshakeTime{});
}

TEST(Device, FakeSendsAPacketWhenTheKeepaliveIsTurnedOnAndTheLinkIsUp) {
  FakeDevice device;
  const std::vector<PeerChange> on{{.public_key = cheap_key(1), .persistent_keepalive = 25}};
  const std::vector<PeerChange> off{{.public_key = cheap_key(1), .persistent_keepalive = 0}};
  ASSERT_TRUE(device.apply(on).empty());
  ASSERT_TRUE(device.apply(on).empty());
  EXPECT_EQ(device.packets_sent(), std::vector{cheap_key(1)});
  ASSERT_TRUE(device.apply(off).empty());
  device.set_link_up(false);
  ASSERT_TRUE(device.apply(on).empty());
  EXPECT_EQ(device.packets_sent().size(), 1u);
  device.set_link_up(true);
  EXPECT_EQ(device.packets_sent().size(), 2u);
}

TEST(InterfaceName, WhatCannotBeOneIsRefusedBeforeItReachesAPath) {
  for (const char* good : {"wg0", "anubis0", "wg-home_1.2", "a", "abcdefghijklmno"}) {
    EXPECT_TRUE(check_interface_name(good)) << good;
  }
  for (const char* bad : {"", ".", "..", "../x", "a/b", "wg 0", "wg:0", "abcdefghijklmnop", "wg\n", "wg\xff"}) {
    EXPECT_FALSE(check_interface_name(bad)) << bad;
    EXPECT_EQ(UserspaceDevice::create(bad).error().code, base::ErrorCode::kInvalid) << bad;
    EXPECT_EQ(KernelDevice::create(bad).error().code, base::ErrorCode::kInvalid) << bad;
  }
}

}  // namespace
}  // namespace anubis::wireguard

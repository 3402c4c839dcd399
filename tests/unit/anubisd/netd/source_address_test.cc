#include "anubisd/netd/source_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/anubisd/netd/host.h"

namespace anubis::netd {
namespace {

using wireguard::PeerAction;

// Keeps what it is asked for.
class Device final : public wireguard::Device {
 public:
  base::Status configure(const wireguard::Configuration& /*configuration*/) override { return {}; }
  wireguard::PeerFailures apply(std::span<const wireguard::PeerChange> asked) override {
    changes.assign(asked.begin(), asked.end());
    return failures;
  }
  base::Result<wireguard::DeviceInfo> info() override { return wireguard::DeviceInfo{}; }
  base::Status visit(wireguard::DumpVisitor& visitor) override {
    visitor.begin({});
    for (const wireguard::PeerState& peer : peers) visitor.peer(wireguard::PeerState(peer));
    return dumped;
  }

  std::vector<wireguard::PeerState> peers;
  base::Status dumped;
  wireguard::PeerFailures failures;
  std::vector<wireguard::PeerChange> changes;
};

TEST(ForgetSourceAddresses, NamesEachEndpointAgainAndNothingElse) {
  Device device;
  device.peers = {{.public_key = public_key(1), .endpoint = endpoint("192.0.2.1:4296"), .persistent_keepalive = 25},
                  {.public_key = public_key(2)}};
  EXPECT_TRUE(forget_source_addresses(device));
  ASSERT_EQ(device.changes.size(), 1u);
  const wireguard::PeerChange& change = device.changes.front();
  EXPECT_EQ(change.public_key, public_key(1));
  EXPECT_EQ(change.action, PeerAction::kUpdateOnly);
  EXPECT_EQ(change.endpoint, endpoint("192.0.2.1:4296"));
  EXPECT_FALSE(change.allowed_ips);
  EXPECT_FALSE(change.persistent_keepalive);
  EXPECT_FALSE(change.preshared_key);
}

TEST(ForgetSourceAddresses, TellsWhatFailed) {
  Device device;
  device.failures = {{.error = {base::ErrorCode::kIo, "its process has ended"}}};
  EXPECT_EQ(forget_source_addresses(device).error().message, "its process has ended");
  device.dumped = base::fail(base::ErrorCode::kBusy, "not now");
  EXPECT_EQ(forget_source_addresses(device).error().message, "not now");
}

}  // namespace
}  // namespace anubis::netd

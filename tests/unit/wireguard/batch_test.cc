#include "lib/wireguard/batch.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "lib/wireguard/testing/fake_device.h"
#include "tests/unit/wireguard/support.h"

namespace anubis::wireguard {
namespace {

using base::ErrorCode;
using testing::FakeDevice;

std::vector<PeerChange> sets(std::uint32_t count) {
  std::vector<PeerChange> changes;
  for (std::uint32_t i = 0; i < count; ++i) {
    changes.push_back({.public_key = cheap_key(i), .allowed_ips = many_prefixes(count)});
    changes.back().allowed_ips = std::vector{(*changes.back().allowed_ips)[i]};
  }
  return changes;
}

// Answers as told, and remembers what it was given.
struct Script {
  std::vector<Delivery> answers;  // kApplied once used up
  std::vector<std::vector<PeerChange>> seen;

  Outcome operator()(std::span<const PeerChange> batch) {
    seen.emplace_back(batch.begin(), batch.end());
    const auto number = seen.size() - 1;
    return {number < answers.size() ? answers[number] : Delivery::kApplied, {ErrorCode::kIo, "as told"}};
  }
};

PeerFailures run(Script& script, std::span<const PeerChange> changes) {
  return apply_in_batches(changes, [&script](std::span<const PeerChange> batch) { return script(batch); });
}

TEST(Batch, NothingToApplyAsksNothing) {
  Script script;
  EXPECT_TRUE(run(script, {}).empty());
  EXPECT_TRUE(script.seen.empty());
}

TEST(Batch, AtMost64PeersInOrder) {
  Script script;
  const auto changes = sets(130);
  EXPECT_TRUE(run(script, changes).empty());
  ASSERT_EQ(script.seen.size(), 3u);
  EXPECT_EQ(script.seen[0].size(), 64u);
  EXPECT_EQ(script.seen[1].size(), 64u);
  EXPECT_EQ(script.seen[2].size(), 2u);
  EXPECT_EQ(script.seen[1][0].public_key, cheap_key(64));
  EXPECT_EQ(script.seen[2][1].public_key, cheap_key(129));
}

TEST(Batch, F42OutOfMemoryHalfWayRemovesThatPeerAndTellsTheError) {
  FakeDevice device;
  device.fail_peer_at_allowed_ip(cheap_key(1), 1);
  const std::vector<PeerChange> changes{
      {.public_key = cheap_key(0), .allowed_ips = prefixes({"10.0.0.0/24", "10.0.1.0/24"})},
      {.public_key = cheap_key(1), .allowed_ips = prefixes({"10.1.0.0/24", "10.1.1.0/24"})},
      {.public_key = cheap_key(2), .allowed_ips = prefixes({"10.2.0.0/24", "10.2.1.0/24"})}};
  const auto failures = device.apply(changes);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].index, 1u);
  EXPECT_EQ(failures[0].state, FailedState::kNotApplied);
  EXPECT_EQ(failures[0].error.code, ErrorCode::kFull);
  EXPECT_EQ(device.peer(cheap_key(0)).value().allowed_ips.size(), 2u);
  EXPECT_FALSE(device.peer(cheap_key(1)));
  EXPECT_EQ(device.peer(cheap_key(2)).value().allowed_ips.size(), 2u);
}

TEST(Batch, F42HalfAppliedUpdateRemovesThePeerToo) {
  FakeDevice device;
  ASSERT_TRUE(device.apply(std::vector<PeerChange>{{.public_key = cheap_key(1)}}).empty());
  device.fail_peer_at_allowed_ip(cheap_key(1), 1);
  const std::vector<PeerChange> changes{{.public_key = cheap_key(1),
                                         .action = PeerAction::kUpdateOnly,
                                         .allowed_ips = prefixes({"10.1.0.0/24", "10.1.1.0/24"})}};
  EXPECT_EQ(device.apply(changes).size(), 1u);
  EXPECT_FALSE(device.peer(cheap_key(1)));
}

TEST(Batch, F50FullDeviceKeepsWhatItHas) {
  FakeDevice device;
  device.limit_peers(100);
  const auto failures = device.apply(sets(150));
  ASSERT_EQ(failures.size(), 50u);
  EXPECT_EQ(failures.front().index, 100u);
  EXPECT_EQ(failures.back().index, 149u);
  for (const auto& failure : failures) EXPECT_EQ(failure.error.code, ErrorCode::kFull);
  EXPECT_EQ(device.dump().value().peers.size(), 100u);
}

TEST(Batch, RejectedUpdateWithoutAllowedIpsLeavesThePeer) {
  Script script{{Delivery::kRejected, Delivery::kRejected}, {}};
  const std::vector<PeerChange> changes{
      {.public_key = cheap_key(0), .action = PeerAction::kUpdateOnly, .persistent_keepalive = 0}};
  const auto failures = run(script, changes);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].state, FailedState::kNotApplied);
  EXPECT_EQ(script.seen.size(), 2u);  // nothing was removed
}

TEST(Batch, UnknownWhenThePartCannotBeRemoved) {
  Script script{{Delivery::kRejected, Delivery::kRejected, Delivery::kRejected}, {}};
  const auto failures = run(script, sets(1));
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].state, FailedState::kUnknown);
  ASSERT_EQ(script.seen.size(), 3u);
  EXPECT_EQ(script.seen[2].at(0).action, PeerAction::kRemove);
  EXPECT_EQ(script.seen[2].at(0).public_key, cheap_key(0));
}

TEST(Batch, LostDeviceEndsItAndNothingBehindIsApplied) {
  Script script{{Delivery::kApplied, Delivery::kDeviceLost}, {}};
  const auto failures = run(script, sets(200));
  EXPECT_EQ(script.seen.size(), 2u);
  ASSERT_EQ(failures.size(), 200u - 64u);
  EXPECT_EQ(failures.front().index, 64u);
  for (const auto& failure : failures) EXPECT_EQ(failure.state, FailedState::kNotApplied);
}

TEST(Batch, NoAnswerLeavesOnlyThatBatchUnknown) {
  Script script{{Delivery::kApplied, Delivery::kUnknown}, {}};
  const auto failures = run(script, sets(200));
  EXPECT_EQ(script.seen.size(), 2u);
  ASSERT_EQ(failures.size(), 200u - 64u);
  for (const auto& failure : failures) {
    EXPECT_EQ(failure.state, failure.index < 128 ? FailedState::kUnknown : FailedState::kNotApplied) << failure.index;
  }
}

TEST(Batch, NoAnswerWhileLookingForTheCulpritLeavesTheRestOfThatBatchUnknown) {
  // The batch is rejected, its first change is applied, and the answer to the second is lost.
  Script script{{Delivery::kRejected, Delivery::kApplied, Delivery::kUnknown}, {}};
  const auto failures = run(script, sets(70));
  ASSERT_EQ(failures.size(), 69u);
  EXPECT_EQ(failures.front().index, 1u);
  for (const auto& failure : failures) {
    EXPECT_EQ(failure.state, failure.index < 64 ? FailedState::kUnknown : FailedState::kNotApplied) << failure.index;
  }
}

}  // namespace
}  // namespace anubis::wireguard

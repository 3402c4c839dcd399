// What every implementation of wireguard::Device does alike: the fake, wireguard-go (as root, where it is installed)
// and the kernel (as root, where it has WireGuard; else in tests/vm).
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "lib/wireguard/device.h"
#include "tests/unit/wireguard/backend.h"
#include "tests/unit/wireguard/support.h"

namespace anubis::wireguard {
namespace {

using base::ErrorCode;

class Conformance : public ::testing::TestWithParam<BackendKind> {
 protected:
  void SetUp() override {
    auto created = GetParam().create();
    if (!created) {
      const auto reason = "not tested on " + GetParam().name + ": " + created.error().message;
      // The virtual machine is there to have them all.
      if (std::getenv("ANUBIS_VM") != nullptr) FAIL() << reason;
      GTEST_SKIP() << reason;
    }
    backend_ = std::move(*created);
  }

  Device& device() { return backend_->device(); }
  void configure(std::uint32_t key = 1, std::uint16_t port = 42961) {
    const auto own = private_key(key);
    ASSERT_TRUE(device().configure({&own, port, {}}));
  }
  void apply(const std::vector<PeerChange>& changes) {
    for (const auto& failure : device().apply(changes)) ADD_FAILURE() << failure.index << ": " << failure.error.message;
  }
  DeviceState dump() { return device().dump().value(); }
  std::optional<PeerState> peer(const crypto::PublicKey& key) {
    const auto state = dump();
    const auto* const found = find_peer(state, key);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }

  std::unique_ptr<Backend> backend_;
};

TEST_P(Conformance, FreshDeviceHasNoKeyAndNoPeers) {
  const auto state = dump();
  EXPECT_EQ(state.public_key, std::nullopt);
  EXPECT_EQ(state.fwmark, 0u);
  EXPECT_NE(state.ifindex, 0u);
  EXPECT_TRUE(state.peers.empty());
}

TEST_P(Conformance, ConfigureSetsWhatIsNamed) {
  const auto own = private_key(1);
  ASSERT_TRUE(device().configure({&own, 42961, 0x4a11}));
  auto info = device().info().value();
  EXPECT_EQ(info.public_key, own.derive_public_key());
  EXPECT_EQ(info.listen_port, 42961);
  EXPECT_EQ(info.fwmark, 0x4a11u);
  ASSERT_TRUE(device().configure({nullptr, {}, 0}));
  info = device().info().value();
  EXPECT_EQ(info.public_key, own.derive_public_key());
  EXPECT_EQ(info.listen_port, 42961);
  EXPECT_EQ(info.fwmark, 0u);
}

TEST_P(Conformance, ConfigureAgainKeepsPeersAndSettings) {
  configure();
  apply({{.public_key = cheap_key(1), .allowed_ips = prefixes({"10.1.0.0/16"})}});
  configure();
  EXPECT_EQ(dump().listen_port, 42961);
  EXPECT_EQ(peer(cheap_key(1)).value().allowed_ips, prefixes({"10.1.0.0/16"}));
}

TEST_P(Conformance, AnotherPrivateKeyReplacesTheFirst) {
  configure(1);
  configure(2);
  EXPECT_EQ(dump().public_key, public_key(2));
}

TEST_P(Conformance, PeerHasWhatItWasGiven) {
  configure();
  base::Secret<crypto::kKeySize> secret;
  secret.writable()[31] = 1;
  apply({{.public_key = cheap_key(1),
          .endpoint = endpoint("192.0.2.1", 4296),
          .allowed_ips = prefixes({"10.1.0.0/16", "10.2.0.1/32", "fd44:1::/64", "fd44:2::1/128"}),
          .persistent_keepalive = 25,
          .preshared_key = std::make_shared<crypto::WireGuardPresharedKey>(std::move(secret))},
         {.public_key = cheap_key(2),
          .endpoint = endpoint("2001:db8::1", 65535),
          .allowed_ips = prefixes({"0.0.0.0/0", "::/0"})},
         {.public_key = cheap_key(3)}});
  const auto state = dump();
  ASSERT_EQ(state.peers.size(), 3u);
  const auto& first = *find_peer(state, cheap_key(1));
  EXPECT_EQ(first.endpoint, endpoint("192.0.2.1", 4296));
  EXPECT_EQ(sorted(first.allowed_ips),
            sorted(prefixes({"10.1.0.0/16", "10.2.0.1/32", "fd44:1::/64", "fd44:2::1/128"})));
  EXPECT_EQ(first.persistent_keepalive, 25);
  EXPECT_TRUE(first.preshared_key);
  EXPECT_EQ(first.latest_handshake, HandshakeTime{});
  EXPECT_EQ(first.rx_bytes, 0u);
  EXPECT_EQ(first.tx_bytes, 0u);
  const auto& second = *find_peer(state, cheap_key(2));
  EXPECT_EQ(second.endpoint, endpoint("2001:db8::1", 65535));
  EXPECT_EQ(sorted(second.allowed_ips), sorted(prefixes({"0.0.0.0/0", "::/0"})));
  EXPECT_EQ(second.persistent_keepalive, 0);
  EXPECT_FALSE(second.preshared_key);
  const auto& third = *find_peer(state, cheap_key(3));
  EXPECT_EQ(third.endpoint, std::nullopt);
  EXPECT_TRUE(third.allowed_ips.empty());
}

TEST_P(Conformance, UpdateChangesOnlyWhatItNames) {
  configure();
  base::Secret<crypto::kKeySize> secret;
  secret.writable()[0] = 1;
  apply({{.public_key = cheap_key(1),
          .endpoint = endpoint("192.0.2.1", 4296),
          .allowed_ips = prefixes({"10.1.0.0/16"}),
          .persistent_keepalive = 25,
          .preshared_key = std::make_shared<crypto::WireGuardPresharedKey>(std::move(secret))}});
  apply({{.public_key = cheap_key(1), .action = PeerAction::kUpdateOnly, .persistent_keepalive = 0}});
  auto state = peer(cheap_key(1)).value();
  EXPECT_EQ(state.persistent_keepalive, 0);
  EXPECT_EQ(state.endpoint, endpoint("192.0.2.1", 4296));
  EXPECT_EQ(state.allowed_ips, prefixes({"10.1.0.0/16"}));
  EXPECT_TRUE(state.preshared_key);
  apply({{.public_key = cheap_key(1), .endpoint = endpoint("192.0.2.2", 1)}});
  state = peer(cheap_key(1)).value();
  EXPECT_EQ(state.endpoint, endpoint("192.0.2.2", 1));
  EXPECT_EQ(state.allowed_ips, prefixes({"10.1.0.0/16"}));
}

TEST_P(Conformance, PresharedKeyOfZerosTurnsItOff) {
  configure();
  base::Secret<crypto::kKeySize> secret;
  secret.writable()[0] = 1;
  apply({{.public_key = cheap_key(1),
          .preshared_key = std::make_shared<crypto::WireGuardPresharedKey>(std::move(secret))}});
  ASSERT_TRUE(peer(cheap_key(1)).value().preshared_key);
  apply({{.public_key = cheap_key(1),
          .preshared_key = std::make_shared<crypto::WireGuardPresharedKey>(base::Secret<crypto::kKeySize>{})}});
  EXPECT_FALSE(peer(cheap_key(1)).value().preshared_key);
}

TEST_P(Conformance, UpdateOnlyDoesNotCreate) {
  configure();
  apply({{.public_key = cheap_key(1), .action = PeerAction::kUpdateOnly, .persistent_keepalive = 5}});
  EXPECT_TRUE(dump().peers.empty());
}

TEST_P(Conformance, RemovingAnAbsentPeerSucceeds) {
  configure();
  apply({{.public_key = cheap_key(1), .action = PeerAction::kRemove}});
  EXPECT_TRUE(dump().peers.empty());
}

TEST_P(Conformance, AllowedIpsAreReplaced) {
  configure();
  apply({{.public_key = cheap_key(1), .allowed_ips = prefixes({"10.1.0.0/16", "10.2.0.0/16"})}});
  apply({{.public_key = cheap_key(1), .allowed_ips = prefixes({"10.2.0.0/16", "10.3.0.0/16"})}});
  EXPECT_EQ(sorted(peer(cheap_key(1)).value().allowed_ips), prefixes({"10.2.0.0/16", "10.3.0.0/16"}));
  apply({{.public_key = cheap_key(1), .action = PeerAction::kUpdateOnly, .allowed_ips = prefixes({})}});
  EXPECT_TRUE(peer(cheap_key(1)).value().allowed_ips.empty());
}

TEST_P(Conformance, AllowedIpGivenToASecondPeerIsMovedAndNotGivenBack) {
  configure();
  apply({{.public_key = cheap_key(1), .allowed_ips = prefixes({"10.1.0.0/16", "10.2.0.0/16"})}});
  apply({{.public_key = cheap_key(2), .allowed_ips = prefixes({"10.2.0.0/16"})}});
  EXPECT_EQ(peer(cheap_key(1)).value().allowed_ips, prefixes({"10.1.0.0/16"}));
  EXPECT_EQ(peer(cheap_key(2)).value().allowed_ips, prefixes({"10.2.0.0/16"}));
  apply({{.public_key = cheap_key(2), .action = PeerAction::kRemove}});
  EXPECT_EQ(peer(cheap_key(1)).value().allowed_ips, prefixes({"10.1.0.0/16"}));
}

TEST_P(Conformance, LongerPrefixInsideAnothersLeavesThatOne) {
  configure();
  apply({{.public_key = cheap_key(1), .allowed_ips = prefixes({"10.0.0.0/8"})},
         {.public_key = cheap_key(2), .allowed_ips = prefixes({"10.2.0.0/16"})}});
  EXPECT_EQ(peer(cheap_key(1)).value().allowed_ips, prefixes({"10.0.0.0/8"}));
  EXPECT_EQ(peer(cheap_key(2)).value().allowed_ips, prefixes({"10.2.0.0/16"}));
}

TEST_P(Conformance, PeerWithTheOwnKeyIsIgnoredSilently) {
  configure(1);
  apply({{.public_key = public_key(1),
          .endpoint = endpoint("192.0.2.1", 1),
          .allowed_ips = prefixes({"10.1.0.0/16"}),
          .persistent_keepalive = 25},
         {.public_key = cheap_key(2), .allowed_ips = prefixes({"10.2.0.0/16"})}});
  const auto state = dump();
  ASSERT_EQ(state.peers.size(), 1u);
  EXPECT_EQ(state.peers[0].public_key, cheap_key(2));
}

TEST_P(Conformance, ChangesOfOneCallTakeEffectInOrder) {
  configure();
  base::Secret<crypto::kKeySize> secret;
  secret.writable()[0] = 1;
  apply({{.public_key = cheap_key(1),
          .preshared_key = std::make_shared<crypto::WireGuardPresharedKey>(std::move(secret))},
         {.public_key = cheap_key(2)}});
  apply({{.public_key = cheap_key(1), .action = PeerAction::kRemove},
         {.public_key = cheap_key(1), .allowed_ips = prefixes({"10.1.0.0/16", "10.3.0.0/16"})},
         {.public_key = cheap_key(2), .allowed_ips = prefixes({"10.2.0.0/16", "10.3.0.0/16"})},
         {.public_key = cheap_key(3)},
         {.public_key = cheap_key(3), .action = PeerAction::kRemove}});
  const auto state = dump();
  ASSERT_EQ(state.peers.size(), 2u);
  // Removed and set again: created anew, so the preshared key that was not named again is gone.
  EXPECT_FALSE(find_peer(state, cheap_key(1))->preshared_key);
  EXPECT_EQ(find_peer(state, cheap_key(1))->allowed_ips, prefixes({"10.1.0.0/16"}));
  EXPECT_EQ(sorted(find_peer(state, cheap_key(2))->allowed_ips), prefixes({"10.2.0.0/16", "10.3.0.0/16"}));
}

TEST_P(Conformance, PeerWithMoreAllowedIpsThanAMessageHolds) {
  configure();
  const auto many = many_prefixes(3000);
  apply({{.public_key = cheap_key(1), .allowed_ips = prefixes({"192.168.0.0/16"})}, {.public_key = cheap_key(2)}});
  apply({{.public_key = cheap_key(1), .allowed_ips = many, .persistent_keepalive = 7},
         {.public_key = cheap_key(2), .persistent_keepalive = 8}});
  const auto state = dump();
  ASSERT_EQ(state.peers.size(), 2u);
  EXPECT_EQ(sorted(find_peer(state, cheap_key(1))->allowed_ips), sorted(many));
  EXPECT_EQ(find_peer(state, cheap_key(1))->persistent_keepalive, 7);
  EXPECT_EQ(find_peer(state, cheap_key(2))->persistent_keepalive, 8);
}

TEST_P(Conformance, ManyPeersInOneCall) {
  configure();
  constexpr std::uint32_t kCount = 500;
  const auto addresses = many_prefixes(2 * kCount);
  std::vector<PeerChange> changes;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    changes.push_back({.public_key = cheap_key(i),
                       .endpoint = endpoint("192.0.2.1", static_cast<std::uint16_t>(1 + i)),
                       .allowed_ips = std::vector{addresses[2 * i], addresses[2 * i + 1]}});
  }
  apply(changes);
  auto state = dump();
  ASSERT_EQ(state.peers.size(), kCount);
  for (std::uint32_t i = 0; i < kCount; ++i) {
    const auto* const found = find_peer(state, cheap_key(i));
    ASSERT_NE(found, nullptr) << i;
    EXPECT_EQ(found->endpoint, endpoint("192.0.2.1", static_cast<std::uint16_t>(1 + i)));
    EXPECT_EQ(sorted(found->allowed_ips), (std::vector{addresses[2 * i], addresses[2 * i + 1]}));
  }
  for (auto& change : changes) change.action = PeerAction::kRemove;
  apply(changes);
  EXPECT_TRUE(dump().peers.empty());
}

TEST_P(Conformance, VanishedDeviceIsAnErrorForEveryChange) {
  configure();
  backend_->destroy();
  const std::vector<PeerChange> changes{{.public_key = cheap_key(1)}, {.public_key = cheap_key(2)}};
  const auto failures = device().apply(changes);
  ASSERT_EQ(failures.size(), 2u);
  for (const auto& failure : failures) {
    EXPECT_EQ(failure.state, FailedState::kNotApplied);
    EXPECT_EQ(failure.error.code, ErrorCode::kNotFound) << failure.error.message;
  }
  EXPECT_EQ(device().dump().error().code, ErrorCode::kNotFound);
  EXPECT_EQ(device().info().error().code, ErrorCode::kNotFound);
  EXPECT_EQ(device().configure({nullptr, 1, {}}).error().code, ErrorCode::kNotFound);
}

class ConformanceHandshake : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    if (!backend_) return;
    const auto first = private_key(1);
    const auto second = private_key(2);
    ASSERT_TRUE(device().configure({&first, kFirstPort, {}}));
    ASSERT_TRUE(backend_->other_end()->configure({&second, kSecondPort, {}}));
    backend_->set_links_up();
    const std::vector<PeerChange> changes{{.public_key = public_key(1), .allowed_ips = prefixes({"10.1.0.0/16"})}};
    ASSERT_TRUE(backend_->other_end()->apply(changes).empty());
  }

  // A peer that shakes hands at once.
  static PeerChange starting() {
    return {.public_key = public_key(2),
            .endpoint = endpoint("127.0.0.1", kSecondPort),
            .allowed_ips = prefixes({"10.2.0.0/16"}),
            .persistent_keepalive = 25};
  }

  // Well below the 5 s after which WireGuard itself would try again. The kernel counts the bytes of a handshake only
  // after it has told its time.
  std::optional<PeerState> wait_for_handshake(HandshakeTime after) {
    for (int i = 0; i < 800; ++i) {
      auto state = peer(public_key(2));
      if (state && state->latest_handshake > after && state->rx_bytes > 0) return state;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return std::nullopt;
  }
};

TEST_P(ConformanceHandshake, KeepaliveOfANewPeerStartsOneAtOnce) {
  apply({starting()});
  const auto state = wait_for_handshake({});
  ASSERT_TRUE(state);
  EXPECT_GT(state->tx_bytes, 0u);
  EXPECT_EQ(backend_->other_end()->dump().value().peers.at(0).endpoint, endpoint("127.0.0.1", kFirstPort));

  apply({{.public_key = public_key(2), .action = PeerAction::kUpdateOnly, .persistent_keepalive = 0}});
  const auto after = peer(public_key(2)).value();
  EXPECT_EQ(after.persistent_keepalive, 0);
  EXPECT_EQ(after.endpoint, state->endpoint);
  EXPECT_EQ(after.allowed_ips, state->allowed_ips);
  EXPECT_EQ(after.latest_handshake, state->latest_handshake);
}

TEST_P(ConformanceHandshake, KeepaliveTurnedOnLaterStartsOneAtOnce) {
  auto change = starting();
  change.persistent_keepalive.reset();
  apply({change});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(peer(public_key(2)).value().tx_bytes, 0u);
  apply({{.public_key = public_key(2), .action = PeerAction::kUpdateOnly, .persistent_keepalive = 25}});
  EXPECT_TRUE(wait_for_handshake({}));
}

TEST_P(ConformanceHandshake, PeerSetAgainAfterRemovalShakesHandsAnew) {
  apply({starting()});
  const auto first = wait_for_handshake({});
  ASSERT_TRUE(first);
  // The other end takes one initiation in 20 ms from a peer.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  apply({{.public_key = public_key(2), .action = PeerAction::kRemove}, starting()});
  EXPECT_TRUE(wait_for_handshake(first->latest_handshake));
}

std::string name_of(const ::testing::TestParamInfo<BackendKind>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Device, Conformance,
                         ::testing::Values(fake_backend(), wireguard_go_backend(), kernel_backend()), name_of);
INSTANTIATE_TEST_SUITE_P(Device, ConformanceHandshake, ::testing::Values(wireguard_go_backend(), kernel_backend()),
                         name_of);

}  // namespace
}  // namespace anubis::wireguard

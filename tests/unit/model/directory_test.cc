#include "lib/model/directory.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::model {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

crypto::PublicKey key(std::uint8_t number) {
  crypto::PublicKey key;
  key.bytes.fill(number);
  return key;
}

Peer peer(const std::string& name, std::uint8_t number) {
  Peer peer;
  peer.name = name;
  peer.public_key = crypto::ProductionPublicKey(key(number));
  peer.side_public_key = crypto::SidePublicKey(key(static_cast<std::uint8_t>(number + 100)));
  peer.side_address = *IpAddress::parse("10.77.0." + std::to_string(number));
  return peer;
}

template <class... P>
std::vector<Peer> peers(P... each) {
  std::vector<Peer> all;
  (all.push_back(std::move(each)), ...);
  return all;
}

std::shared_ptr<const crypto::PresharedKey> preshared_key(std::uint8_t byte) {
  base::Secret<crypto::kKeySize> secret;
  secret.writable()[0] = byte;
  return std::make_shared<const crypto::PresharedKey>(std::move(secret));
}

std::vector<std::string> names(const InMemoryDirectory& directory) {
  std::vector<std::string> all;
  directory.for_each([&](PeerIndex, const Peer& each) { all.push_back(each.name); });
  return all;
}

TEST(Directory, FindsAPeerByKeyByAddressAndByName) {
  InMemoryDirectory directory;
  const auto changes = directory.replace(peers(peer("jacinth", 1), peer("amber", 2)));
  ASSERT_EQ(changes.added.size(), 2u);
  EXPECT_THAT(changes.changed, IsEmpty());
  EXPECT_THAT(changes.removed, IsEmpty());
  EXPECT_EQ(directory.size(), 2u);
  const auto amber = changes.added[1];
  EXPECT_EQ(directory.find(crypto::ProductionPublicKey(key(2))), amber);
  EXPECT_EQ(directory.find_by_side_address(*IpAddress::parse("10.77.0.2")), amber);
  EXPECT_EQ(directory.find_by_name("amber"), amber);
  ASSERT_NE(directory.get(amber), nullptr);
  EXPECT_EQ(directory.get(amber)->name, "amber");
}

TEST(Directory, FindsNothingThatIsNotThere) {
  InMemoryDirectory directory;
  EXPECT_EQ(directory.size(), 0u);
  EXPECT_FALSE(directory.find_by_name("jacinth"));
  directory.replace(peers(peer("jacinth", 1)));
  EXPECT_FALSE(directory.find(crypto::ProductionPublicKey(key(101))));  // its side key
  EXPECT_FALSE(directory.find_by_side_address(*IpAddress::parse("10.77.0.2")));
  EXPECT_FALSE(directory.find_by_name("jacint"));
  EXPECT_EQ(directory.get(PeerIndex{1}), nullptr);
  EXPECT_EQ(directory.get(PeerIndex{0xffffffff}), nullptr);
}

TEST(Directory, VisitsInTheOrderOfTheConfiguration) {
  InMemoryDirectory directory;
  directory.replace(peers(peer("c", 3), peer("a", 1), peer("b", 2)));
  EXPECT_THAT(names(directory), ElementsAre("c", "a", "b"));
  directory.replace(peers(peer("b", 2), peer("d", 4), peer("c", 3)));
  EXPECT_THAT(names(directory), ElementsAre("b", "d", "c"));
}

TEST(Directory, APeerKeepsItsIndexAsLongAsItsKeyStays) {
  InMemoryDirectory directory;
  const auto first = directory.replace(peers(peer("jacinth", 1), peer("amber", 2)));
  Peer renamed = peer("hyacinth", 1);
  renamed.side_address = *IpAddress::parse("10.77.0.9");
  const auto changes = directory.replace(peers(peer("amber", 2), std::move(renamed)));
  EXPECT_THAT(changes.added, IsEmpty());
  EXPECT_THAT(changes.changed, ElementsAre(first.added[0]));
  EXPECT_THAT(changes.removed, IsEmpty());
  EXPECT_EQ(directory.find_by_name("hyacinth"), first.added[0]);
  EXPECT_FALSE(directory.find_by_name("jacinth"));
  EXPECT_FALSE(directory.find_by_side_address(*IpAddress::parse("10.77.0.1")));
}

TEST(Directory, EveryFieldIsAChange) {
  const auto changed_by = [](void (*change)(Peer&)) {
    InMemoryDirectory directory;
    Peer before = peer("jacinth", 1);
    before.preshared_key = preshared_key(1);
    Peer after = before;
    change(after);
    directory.replace(peers(std::move(before)));
    return directory.replace(peers(std::move(after))).changed.size();
  };
  EXPECT_EQ(changed_by([](Peer&) {}), 0u);
  EXPECT_EQ(changed_by([](Peer& each) { each.preshared_key = preshared_key(1); }), 0u);  // the same secret, read again
  EXPECT_EQ(changed_by([](Peer& each) { each.name = "x"; }), 1u);
  EXPECT_EQ(changed_by([](Peer& each) { each.side_public_key.bytes[0] ^= 1; }), 1u);
  EXPECT_EQ(changed_by([](Peer& each) { each.side_address = IpAddress(); }), 1u);
  EXPECT_EQ(changed_by([](Peer& each) { each.endpoint = HostPort{"x", 1}; }), 1u);
  EXPECT_EQ(changed_by([](Peer& each) { each.side_endpoint = HostPort{"x", 1}; }), 1u);
  EXPECT_EQ(changed_by([](Peer& each) { each.allowed_ips.emplace_back(); }), 1u);
  EXPECT_EQ(changed_by([](Peer& each) { each.persistent_keepalive = 25; }), 1u);
  EXPECT_EQ(changed_by([](Peer& each) { each.preshared_key = preshared_key(2); }), 1u);
  EXPECT_EQ(changed_by([](Peer& each) { each.preshared_key = nullptr; }), 1u);
  EXPECT_EQ(changed_by([](Peer& each) { each.lease = std::chrono::hours(1); }), 1u);
  EXPECT_EQ(changed_by([](Peer& each) { each.group = "gateways"; }), 1u);
}

TEST(Directory, F68ARemovedPeerIsHandedOutAndItsIndexNeverUsedAgain) {
  InMemoryDirectory directory;
  const auto first = directory.replace(peers(peer("jacinth", 1), peer("amber", 2)));
  const auto second = directory.replace(peers(peer("amber", 2), peer("agate", 3)));
  ASSERT_EQ(second.removed.size(), 1u);
  EXPECT_EQ(second.removed[0].first, first.added[0]);
  EXPECT_EQ(second.removed[0].second.name, "jacinth");
  EXPECT_EQ(directory.get(first.added[0]), nullptr);
  EXPECT_FALSE(directory.find(crypto::ProductionPublicKey(key(1))));
  EXPECT_FALSE(directory.find_by_side_address(*IpAddress::parse("10.77.0.1")));
  const auto third = directory.replace(peers(peer("amber", 2), peer("agate", 3), peer("jacinth", 1)));
  ASSERT_EQ(third.added.size(), 1u);
  EXPECT_NE(third.added[0], first.added[0]);
  EXPECT_EQ(directory.get(third.added[0])->name, "jacinth");
}

TEST(Directory, NamesMayBeSwapped) {
  InMemoryDirectory directory;
  const auto first = directory.replace(peers(peer("jacinth", 1), peer("amber", 2)));
  Peer one = peer("amber", 1);
  Peer two = peer("jacinth", 2);
  std::swap(one.side_address, two.side_address);
  directory.replace(peers(std::move(one), std::move(two)));
  EXPECT_EQ(directory.find_by_name("amber"), first.added[0]);
  EXPECT_EQ(directory.find_by_name("jacinth"), first.added[1]);
  EXPECT_EQ(directory.find_by_side_address(*IpAddress::parse("10.77.0.2")), first.added[0]);
}

// As anubis-netd, which has the secrets, and anubisd, which has not, follow the same configuration.
TEST(Directory, WhoIsNotGivenTheSecretsSeesThatTheyChange) {
  InMemoryDirectory with;
  InMemoryDirectory without;
  const auto load = [&](std::shared_ptr<const crypto::PresharedKey> secret) {
    Peer jacinth = peer("jacinth", 1);
    jacinth.preshared_key = std::move(secret);
    with.replace(peers(jacinth, peer("amber", 2)));
    std::vector<Peer> shown;
    with.for_each([&](PeerIndex, const Peer& each) {
      shown.push_back(each);
      shown.back().preshared_key.reset();
    });
    return without.replace(std::move(shown)).changed;
  };
  EXPECT_THAT(load(preshared_key(1)), IsEmpty());
  const auto jacinth = *without.find_by_name("jacinth");
  EXPECT_THAT(load(preshared_key(2)), ElementsAre(jacinth));
  EXPECT_THAT(load(preshared_key(2)), IsEmpty());
  EXPECT_THAT(load(nullptr), ElementsAre(jacinth));
  EXPECT_THAT(load(nullptr), IsEmpty());
  EXPECT_THAT(load(preshared_key(1)), ElementsAre(jacinth));  // of which it has known the number once
}

}  // namespace
}  // namespace anubis::model

// lib/base/secret.h, where it matters: keys are wiped when they go and when they move.
#include <algorithm>
#include <memory>
#include <new>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/crypto/keys.h"

namespace anubis::crypto {
namespace {

using testing::Each;
using testing::Ne;

using Secret = base::Secret<kKeySize>;

Secret make_secret() {
  Secret secret;
  std::ranges::fill(secret.writable(), std::uint8_t{0x5a});
  return secret;
}

TEST(Secret, AMoveLeavesNothingBehind) {
  Secret from = make_secret();
  const Secret to = std::move(from);
  EXPECT_THAT(to.view(), Each(0x5a));
  EXPECT_THAT(from.view(), Each(0));  // NOLINT(bugprone-use-after-move): that is the question
}

TEST(Secret, AMoveAssignmentLeavesNothingBehind) {
  Secret from = make_secret();
  Secret to;
  to = std::move(from);
  EXPECT_THAT(to.view(), Each(0x5a));
  EXPECT_THAT(from.view(), Each(0));  // NOLINT(bugprone-use-after-move): that is the question
  Secret& same = to;
  to = std::move(same);
  EXPECT_THAT(to.view(), Each(0x5a));
}

TEST(Secret, ItsMemoryIsWipedWhenItGoes) {
  alignas(PrivateKey) std::array<std::uint8_t, sizeof(PrivateKey)> memory;
  memory.fill(0xff);
  auto* key = new (memory.data()) PrivateKey(make_secret());
  ASSERT_THAT(memory, Each(0x5a));
  std::destroy_at(key);
  // The compiler must not take the bytes for dead with the object.
  asm volatile("" : : "r"(memory.data()) : "memory");
  EXPECT_THAT(memory, Each(0));
}

TEST(Secret, ADuplicateIsItsOwn) {
  Secret one = make_secret();
  const Secret two = one.duplicate();
  one.wipe();
  EXPECT_THAT(two.view(), Each(0x5a));
}

TEST(Secret, EveryBitCountsInAComparison) {
  const Secret one = make_secret();
  for (std::size_t bit = 0; bit < kKeySize * 8; ++bit) {
    Secret two = make_secret();
    EXPECT_TRUE(one.equals(two));
    two.writable()[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_FALSE(one.equals(two)) << bit;
  }
}

}  // namespace
}  // namespace anubis::crypto

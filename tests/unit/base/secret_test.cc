#include "lib/base/secret.h"

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <sstream>
#include <type_traits>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::base {
namespace {

using testing::Each;
using testing::ElementsAre;

Secret<4> make(std::uint8_t first) {
  Secret<4> secret;
  secret.writable()[0] = first;
  secret.writable()[3] = 9;
  return secret;
}

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!std::is_copy_constructible_v<Secret<4>> && !std::is_copy_assignable_v<Secret<4>>);
static_assert(!Printable<Secret<4>>);

TEST(Secret, IsZeroUntilItIsWritten) { EXPECT_THAT(Secret<4>().view(), Each(0)); }

TEST(Secret, F63MovingLeavesNothingBehind) {
  Secret<4> from = make(7);
  Secret<4> to(std::move(from));
  EXPECT_THAT(from.view(), Each(0));  // NOLINT(bugprone-use-after-move): this is what is tested
  EXPECT_THAT(to.view(), ElementsAre(7, 0, 0, 9));
  Secret<4> assigned = make(1);
  assigned = std::move(to);
  EXPECT_THAT(to.view(), Each(0));  // NOLINT(bugprone-use-after-move)
  EXPECT_THAT(assigned.view(), ElementsAre(7, 0, 0, 9));
}

TEST(Secret, F63ItsMemoryIsWipedWhenItGoes) {
  alignas(Secret<4>) std::array<std::uint8_t, sizeof(Secret<4>)> memory{};
  auto* secret = new (memory.data()) Secret<4>(make(7));
  EXPECT_EQ(memory[0], 7);
  std::destroy_at(secret);
  EXPECT_THAT(memory, Each(0));
}

TEST(Secret, EqualsComparesEveryByte) {
  EXPECT_TRUE(make(7).equals(make(7)));
  for (std::size_t i = 0; i < 4; ++i) {
    Secret<4> other = make(7);
    other.writable()[i] ^= 0x80;
    EXPECT_FALSE(other.equals(make(7))) << i;
  }
}

TEST(Secret, ADuplicateIsIndependent) {
  Secret<4> original = make(7);
  const Secret<4> copy = original.duplicate();
  original.wipe();
  EXPECT_THAT(original.view(), Each(0));
  EXPECT_THAT(copy.view(), ElementsAre(7, 0, 0, 9));
}

}  // namespace
}  // namespace anubis::base

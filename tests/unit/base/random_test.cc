#include "lib/base/random.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <numeric>
#include <span>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <seccomp.h>

namespace anubis::base {
namespace {

using testing::Each;

// 1, 2, 3, …
class Counting final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = ++last_;
  }

 private:
  std::uint8_t last_ = 0;
};

TEST(Random, NumbersAreMadeOfItsBytes) {
  Counting random;
  EXPECT_THAT(random.bytes<3>(), testing::ElementsAre(1, 2, 3));
  const std::array<std::uint8_t, 8> expected{4, 5, 6, 7, 8, 9, 10, 11};
  const auto number = random.number();
  EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(&number, 1)), std::as_bytes(std::span(expected))));
}

TEST(Random, BelowStaysBelow) {
  Counting random;
  for (std::uint64_t bound = 1; bound < 100; ++bound) EXPECT_LT(random.below(bound), bound);
}

TEST(SystemRandom, FillsAllOfALargeBuffer) {
  SystemRandom random;
  // getrandom(2) gives at most 32 MiB at once; the tail is what a single call would leave out.
  std::vector<std::uint8_t> buffer((32u << 20) + 64);
  random.fill(buffer);
  const auto tail = std::span(buffer).last(64);
  EXPECT_FALSE(std::ranges::all_of(tail, [](std::uint8_t byte) { return byte == 0; }));
  random.fill({});
}

TEST(SystemRandom, DoesNotRepeatItself) {
  SystemRandom random;
  const auto first = random.bytes<32>();
  const auto second = random.bytes<32>();
  EXPECT_NE(first, second);
}

// A key that is no secret would be worse than no daemon.
TEST(SystemRandom, F25WithoutRandomnessTheProcessAborts) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer does not like filters";
#endif
  const auto draw = [] {
    const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == nullptr || seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(getrandom), 0) != 0 ||
        seccomp_load(filter) != 0) {
      std::_Exit(2);
    }
    SystemRandom random;
    (void)random.bytes<32>();
    std::_Exit(0);
  };
  EXPECT_EXIT(draw(), testing::KilledBySignal(SIGABRT), "getrandom: Function not implemented");
}

}  // namespace
}  // namespace anubis::base

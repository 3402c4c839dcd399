#include "lib/base/secret.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace anubis::base {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

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
  const std::uint8_t* const memory = from.view().data();
  Secret<4> to(std::move(from));
  EXPECT_EQ(to.view().data(), memory);  // no copy was made
  EXPECT_THAT(to.view(), ElementsAre(7, 0, 0, 9));
  Secret<4> assigned = make(1);
  const std::uint8_t* const replaced = assigned.view().data();
  assigned = std::move(to);
  EXPECT_EQ(assigned.view().data(), memory);
  EXPECT_THAT(assigned.view(), ElementsAre(7, 0, 0, 9));
  EXPECT_THAT(std::span(replaced, 4), Each(0));
  Secret<4>& same = assigned;
  assigned = std::move(same);
  EXPECT_THAT(assigned.view(), ElementsAre(7, 0, 0, 9));
}

TEST(Secret, F63ItsMemoryIsWipedWhenItGoes) {
  const std::uint8_t* memory = nullptr;  // stays mapped
  {
    const Secret<4> secret = make(7);
    memory = secret.view().data();
    ASSERT_EQ(memory[0], 7);
  }
  EXPECT_THAT(std::span(memory, 4), Each(0));
}

// What /proc/self/smaps says of the pages around this address: the value in kB, or the flags.
std::string smaps(const void* address, const std::string& field) {
  std::ifstream file("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool is_inside = false;
  for (std::string line; std::getline(file, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) is_inside = begin <= wanted && wanted < end;
    if (is_inside && line.starts_with(field + ":")) return line.substr(field.size() + 1);
  }
  return {};
}

TEST(Secret, F63ItsPagesAreLockedAndNotDumped) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers make mlock do nothing";
#endif
  const Secret<32> key;
  const Secret<128> larger;
  for (const std::uint8_t* memory : {key.view().data(), larger.view().data()}) {
    // The end of the line is a list of flags of two letters: lo is locked, dd is not dumped.
    const std::string flags = smaps(memory, "VmFlags");
    EXPECT_THAT(flags, HasSubstr(" lo "));
    EXPECT_THAT(flags, HasSubstr(" dd "));
    EXPECT_GT(std::stoi(smaps(memory, "Locked")), 0);
  }
}

TEST(Secret, ThousandsSharePages) {
  std::vector<Secret<32>> many(10'000);
  std::set<std::uintptr_t> pages;
  for (std::size_t i = 0; i < many.size(); ++i) {
    ASSERT_THAT(many[i].view(), Each(0)) << i;
    std::memcpy(many[i].writable().data(), &i, sizeof i);
    pages.insert(reinterpret_cast<std::uintptr_t>(many[i].view().data()) / 4096);
  }
  EXPECT_LE(pages.size(), 10'000 / 128 + 2u * 4);
  for (std::size_t i = 0; i < many.size(); ++i) {
    std::size_t found = 0;
    std::memcpy(&found, many[i].view().data(), sizeof found);
    ASSERT_EQ(found, i);
  }
}

TEST(Secret, MemoryThatWasGivenBackIsUsedAgain) {
  const std::uint8_t* memory = nullptr;
  {
    const Secret<128> one;
    memory = one.view().data();
  }
  const Secret<100> two;
  EXPECT_EQ(two.view().data(), memory);
}

TEST(Secret, F63WithoutLockedMemoryItWorksAndSaysSo) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers make mlock do nothing";
#endif
  const auto exhausted = [] {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0)) std::_Exit(2);
    std::vector<Secret<32>> many(100'000);  // more than any test before
    many.back().writable()[31] = 1;
    std::_Exit(many.back().view()[31] == 1 ? 0 : 1);
  };
  EXPECT_EXIT(exhausted(), testing::ExitedWithCode(0), "secrets.not-locked");
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

#include <gtest/gtest.h>

#include "anubis-cli/check/path_mtu.h"

namespace anubis::cli {
namespace {

// A way whose narrowest links are these, in the order of the way: each tells its MTU, or is silent.
struct Link {
  std::uint32_t mtu;
  bool tells;
};

std::uint32_t found(const std::vector<Link>& links, std::uint32_t most, int& tries) {
  return find_path_mtu(92, most, [&](std::uint32_t size) -> SizeTried {
    ++tries;
    for (const Link& link : links) {
      if (size <= link.mtu) continue;
      return {.answered = false, .told = link.tells ? std::optional(link.mtu) : std::nullopt};
    }
    return {.answered = true, .told = {}};
  });
}

TEST(CheckPathMtu, AWideWayTakesOneTry) {
  int tries = 0;
  EXPECT_EQ(found({}, 1420, tries), 1420u);
  EXPECT_EQ(tries, 1);
}

TEST(CheckPathMtu, WhatRoutersTellIsTriedAtOnce) {
  int tries = 0;
  EXPECT_EQ(found({{1400, true}, {1300, true}}, 1500, tries), 1300u);
  EXPECT_EQ(tries, 3);
}

TEST(CheckPathMtu, SilentLinksAreFoundByHalving) {
  for (const std::uint32_t mtu : {93u, 576u, 1280u, 1419u}) {
    int tries = 0;
    EXPECT_EQ(found({{mtu, false}}, 1420, tries), mtu);
    EXPECT_LE(tries, 12);
  }
  int tries = 0;
  EXPECT_EQ(found({{1280, false}}, 65'535, tries), 1280u);
  EXPECT_LE(tries, 17);
}

TEST(CheckPathMtu, ASilentLinkBehindOneThatTellsIsFound) {
  int tries = 0;
  EXPECT_EQ(found({{1400, true}, {1311, false}}, 1500, tries), 1311u);
}

TEST(CheckPathMtu, LiesDoNotMislead) {
  for (const std::uint32_t lie : {0u, 50u, 1500u, 70'000u}) {
    const auto mtu = find_path_mtu(92, 1500, [lie](std::uint32_t size) -> SizeTried {
      return {.answered = size <= 1350, .told = size <= 1350 ? std::nullopt : std::optional(lie)};
    });
    EXPECT_EQ(mtu, 1350u) << lie;
  }
}

TEST(CheckPathMtu, NothingLargerLeavesWhatIsKnown) {
  EXPECT_EQ(find_path_mtu(92, 1500, [](std::uint32_t) { return SizeTried{}; }), 92u);
}

}  // namespace
}  // namespace anubis::cli

// The companion page's files are in the program. On arm64 they were not: each began and ended at the same place.
#include <cstdint>
#include <span>

#include <gtest/gtest.h>

#include "anubisd/companion/files.h"

namespace anubis::daemon {
namespace {

TEST(PageFiles, EachIsThereByItselfAndCompressed) {
  std::span<const std::uint8_t> before;
  for (const char* path :
       {"/", "/page.css", "/icon.svg", "/page.mjs", "/message.mjs", "/libsodium-wrappers.mjs", "/libsodium.mjs"}) {
    const PageFile* const file = find_page_file(path);
    ASSERT_NE(file, nullptr) << path;
    ASSERT_GT(file->compressed.size(), 100u) << path;
    EXPECT_EQ(file->compressed[0], 0x1f) << path;  // as each file of gzip's begins
    EXPECT_EQ(file->compressed[1], 0x8b) << path;
    EXPECT_NE(file->compressed.data(), before.data()) << path;
    before = file->compressed;
  }
}

TEST(PageFiles, NothingElseIs) { EXPECT_EQ(find_page_file("/index.html"), nullptr); }

}  // namespace
}  // namespace anubis::daemon

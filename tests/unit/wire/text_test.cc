// docs/protocol.md, section 5.4, the last paragraph.
#include "lib/wire/text.h"

#include <array>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace anubis::wire {
namespace {

using namespace std::string_literals;

std::string whole(const std::string& text) { return printable(text, text.size()); }

TEST(Text, WhatPeopleWriteStays) {
  for (const auto& text : {"plain ~ \\ \" text"s, "Größe"s, "10 €"s, "日本語"s, "🐺"s}) EXPECT_EQ(whole(text), text);
}

TEST(Text, ControlCharactersAreReplaced) {
  for (int byte = 0; byte < 0x20; ++byte) EXPECT_EQ(whole(std::string(1, static_cast<char>(byte))), "?");
  EXPECT_EQ(whole("\x7f"), "?");
  for (int byte = 0x80; byte < 0xa0; ++byte) EXPECT_EQ(whole("\xc2"s + static_cast<char>(byte)), "??");
  EXPECT_EQ(whole("\xc2\xa0"), "\xc2\xa0");
}

// RFC 3629, section 4: the first and last characters of each range, and what stands just outside.
TEST(Text, OnlyUtf8Stays) {
  for (const auto* good : {"\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(whole(good), good);
  }
  for (const std::string bad : {"\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                                "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_EQ(whole(bad), std::string(bad.size(), '?'));
  }
  EXPECT_EQ(whole("\xc3+\xe2\x82+"), "?+??+");
}

TEST(Text, ACharacterThatIsCutOffIsReplaced) {
  for (const auto* cut : {"\xc3", "\xe2\x82", "\xf0\x9f\x90"}) {
    EXPECT_EQ(whole("a"s + cut), "a" + std::string(std::string_view(cut).size(), '?'));
  }
}

TEST(Text, IsCutBetweenCharacters) {
  const std::array<std::pair<std::size_t, const char*>, 5> cuts{{{0, ""}, {1, "a"}, {3, "a"}, {4, "a€"}, {6, "a€"}}};
  for (const auto& [size, expected] : cuts) EXPECT_EQ(printable("a€€", size), expected) << size;
}

}  // namespace
}  // namespace anubis::wire

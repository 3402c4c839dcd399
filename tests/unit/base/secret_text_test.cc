#include "lib/base/secret_text.h"

#include <string>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

namespace anubis::base {
namespace {

static_assert(!std::is_copy_constructible_v<SecretText> && !std::is_copy_assignable_v<SecretText>);

TEST(SecretText, HoldsWhatWasAppended) {
  SecretText text;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    text.append("secret " + std::to_string(i));
    expected += "secret " + std::to_string(i);
  }
  EXPECT_EQ(text.view(), expected);
}

TEST(SecretText, MovingLeavesNothingBehind) {
  SecretText text;
  text.append("a short one");  // a std::string would keep it inside itself
  SecretText taken = std::move(text);
  EXPECT_EQ(taken.view(), "a short one");
  EXPECT_EQ(text.view(), "");  // NOLINT(bugprone-use-after-move): what is left is what is tested
  SecretText other;
  other.append("another");
  other = std::move(taken);
  EXPECT_EQ(other.view(), "a short one");
}

}  // namespace
}  // namespace anubis::base

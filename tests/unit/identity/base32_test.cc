#include "lib/identity/base32.h"

#include <string>

#include <gmock/gmock.h>

namespace anubis::identity {
namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// RFC 4648, section 10.
TEST(Base32, IsThatOfTheRfcInSmallLettersWithoutPadding) {
  EXPECT_EQ(to_base32(bytes_of("")), "");
  EXPECT_EQ(to_base32(bytes_of("f")), "my");
  EXPECT_EQ(to_base32(bytes_of("fo")), "mzxq");
  EXPECT_EQ(to_base32(bytes_of("foo")), "mzxw6");
  EXPECT_EQ(to_base32(bytes_of("foob")), "mzxw6yq");
  EXPECT_EQ(to_base32(bytes_of("fooba")), "mzxw6ytb");
  EXPECT_EQ(to_base32(bytes_of("foobar")), "mzxw6ytboi");
}

TEST(Base32, ReadsWhatItWroteInSmallAndCapitalLetters) {
  for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    std::string written = to_base32(bytes_of(text));
    for (int i = 0; i < 2; ++i) {
      const auto read = from_base32(written);
      ASSERT_TRUE(read) << written;
      EXPECT_EQ(std::string(read->begin(), read->end()), text);
      for (char& character : written) character = static_cast<char>(std::toupper(character));
    }
  }
}

TEST(Base32, RefusesWhatNoEncoderWrites) {
  // Other characters, a digit too many, bits at the end.
  for (const char* text : {"mz=", "m0", "m1", "m8", "m ", "mzx", "m", "mz", "mzxr", "\xff\xff"}) {
    EXPECT_FALSE(from_base32(text)) << text;
  }
}

}  // namespace
}  // namespace anubis::identity

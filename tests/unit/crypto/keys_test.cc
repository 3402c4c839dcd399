#include "lib/crypto/keys.h"

#include <string>
#include <type_traits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/hex.h"

namespace anubis::crypto {
namespace {

using namespace std::string_literals;
using test::hex;
using test::hex_array;
using testing::HasSubstr;

PublicKey key_of(std::string_view digits) {
  PublicKey key;
  key.bytes = hex_array<kKeySize>(digits);
  return key;
}

// RFC 7748, section 6.1.
constexpr auto kAlicePrivate = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
constexpr auto kAlicePublic = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
constexpr auto kAlicePublicBase64 = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";

// Every encoding, canonical or not, of a point whose order divides eight, on the curve or its twist, with and without
// the bit that X25519 ignores.
const std::array kSmallOrder{
    "0000000000000000000000000000000000000000000000000000000000000000",  // 0
    "0100000000000000000000000000000000000000000000000000000000000000",  // 1
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",  // order 8
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",  // order 8
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p − 1
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p, which is 0
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p + 1, which is 1
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

TEST(Keys, ThePublicKeyIsThatOfRfc7748) {
  base::Secret<kKeySize> secret;
  std::ranges::copy(hex(kAlicePrivate), secret.writable().begin());
  EXPECT_EQ(PrivateKey(std::move(secret)).derive_public_key(), key_of(kAlicePublic));
}

TEST(Keys, Base64GoesBothWays) {
  EXPECT_EQ(key_of(kAlicePublic).to_base64(), kAlicePublicBase64);
  const auto parsed = parse_public_key(kAlicePublicBase64);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, key_of(kAlicePublic));
}

TEST(Keys, AKeyInBriefIsItsFirstCharacters) { EXPECT_EQ(key_of(kAlicePublic).brief(), "hSDwCYkw…"); }

// Found by fuzzing: libsodium 1.0.18 takes the byte 0xc9 for the digit "j", and some others for others, where char is
// signed, so that one key had many texts.
TEST(Keys, BytesBeyondAsciiAreNoDigits) {
  for (int byte = 0x80; byte <= 0xff; ++byte) {
    std::string text = kAlicePublicBase64;
    text[10] = static_cast<char>(byte);
    EXPECT_FALSE(parse_public_key(text)) << byte;
    EXPECT_FALSE(parse_secret(text)) << byte;
  }
}

TEST(Keys, ASecretIsWrittenAsItIsRead) {
  const auto text = format_secret(parse_secret(kAlicePublicBase64)->view());
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(text.view().data()), text.kSize), kAlicePublicBase64);
}

TEST(Keys, OnlyExactBase64IsAKey) {
  const std::string good = kAlicePublicBase64;
  const std::array bad{
      ""s,
      good.substr(0, 43),    // without its padding
      good + "=",            // too much of it
      good + "\n",           // as read from a file
      " " + good.substr(1),  // a blank
      good.substr(0, 20) + "\n" + good.substr(21),
      good.substr(0, 43) + "A",                         // 33 bytes
      good.substr(0, 42) + "==",                        // 31 bytes
      good.substr(0, 42) + "p=",                        // the last bits, which belong to no byte, are set
      "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo="s,  // the alphabet of URLs
      good.substr(0, 10) + '\0' + good.substr(11),
      "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"s,
  };
  for (const auto& text : bad) {
    const auto parsed = parse_public_key(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, base::ErrorCode::kInvalid);
    EXPECT_THAT(parsed.error().message, HasSubstr("44 characters of base64"));
    EXPECT_FALSE(parse_secret(text)) << text;
  }
}

// F15, at load.
TEST(Keys, F15NoPointOfSmallOrderIsAKey) {
  for (const auto* digits : kSmallOrder) {
    const PublicKey key = key_of(digits);
    EXPECT_TRUE(has_small_order(key)) << digits;
    const auto parsed = parse_public_key(key.to_base64());
    ASSERT_FALSE(parsed) << digits;
    EXPECT_THAT(parsed.error().message, HasSubstr("small order"));
  }
  EXPECT_FALSE(has_small_order(key_of(kAlicePublic)));
  EXPECT_FALSE(has_small_order(key_of("0900000000000000000000000000000000000000000000000000000000000000")));
}

// Two encodings of one point would be two peers to us and one to X25519; F19 and "its own key as a peer" compare bytes.
TEST(Keys, AnotherEncodingOfAKeyIsNotAKey) {
  auto with_top_bit = key_of(kAlicePublic);
  with_top_bit.bytes[31] |= 0x80;
  const auto not_reduced = key_of("f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");  // p + 9
  for (const auto& key : {with_top_bit, not_reduced}) {
    const auto parsed = parse_public_key(key.to_base64());
    ASSERT_FALSE(parsed);
    EXPECT_THAT(parsed.error().message, HasSubstr("no private key"));
  }
  // The greatest that is reduced and of large order: p − 2.
  EXPECT_TRUE(parse_public_key(key_of("ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f").to_base64()));
}

TEST(Keys, ASecretMayBeAny32Bytes) {
  const auto parsed = parse_secret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  ASSERT_TRUE(parsed);
  EXPECT_THAT(parsed->view(), testing::Each(0));
  const auto other = parse_secret(kAlicePublicBase64);
  ASSERT_TRUE(other);
  EXPECT_THAT(other->view(), testing::ElementsAreArray(hex(kAlicePublic)));
}

TEST(Keys, PresharedKeysAreComparedByTheirBytes) {
  const PresharedKey one(*parse_secret(kAlicePublicBase64));
  const PresharedKey same(*parse_secret(kAlicePublicBase64));
  const PresharedKey other(*parse_secret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
  EXPECT_TRUE(one.equals(same));
  EXPECT_FALSE(one.equals(other));
}

// The compiler knows one role from the other, and a secret from what may be copied.
static_assert(!std::is_convertible_v<SidePublicKey, ProductionPublicKey>);
static_assert(!std::is_convertible_v<PublicKey, ProductionPublicKey>);
static_assert(!std::is_convertible_v<base::Secret<kKeySize>, PresharedKey>);
static_assert(!std::is_constructible_v<ProductionPrivateKey, SidePrivateKey>);
static_assert(!std::is_copy_constructible_v<ProductionPrivateKey> && !std::is_copy_assignable_v<ProductionPrivateKey>);
static_assert(!std::is_copy_constructible_v<PresharedKey> && !std::is_copy_assignable_v<PresharedKey>);

}  // namespace
}  // namespace anubis::crypto

// docs/protocol.md, section 2.2. The known answers are those of Python's hashlib.
#include "lib/crypto/side_address.h"

#include <numeric>

#include <gtest/gtest.h>

#include "tests/support/hex.h"

namespace anubis::crypto {
namespace {

TEST(SideAddress, IsThePrefixAndBlake2bOfTheKey) {
  SidePublicKey key;
  std::iota(key.bytes.begin(), key.bytes.end(), std::uint8_t{0});
  EXPECT_EQ(derive_side_address(key), test::hex_array<16>("fd77cb2f5160fc1f7e05a55ef49d340b"));
  EXPECT_EQ(derive_side_address(key, {0xfd, 0x12}), test::hex_array<16>("fd12cb2f5160fc1f7e05a55ef49d340b"));
  key.bytes = test::hex_array<kKeySize>("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(derive_side_address(key), test::hex_array<16>("fd777a91869e4c114964206972403b0a"));
}

}  // namespace
}  // namespace anubis::crypto

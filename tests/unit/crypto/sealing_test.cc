// docs/protocol.md, section 3.
#include "lib/crypto/sealing.h"

#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/hex.h"

namespace anubis::crypto {
namespace {

using test::hex;
using test::hex_array;
using testing::ElementsAreArray;

constexpr auto kSuite = Suite::kXChaCha20Poly1305;
using Bytes = std::vector<std::uint8_t>;

base::Secret<kKeySize> secret_of(std::string_view digits) {
  base::Secret<kKeySize> secret;
  std::ranges::copy(hex_array<kKeySize>(digits), secret.writable().begin());
  return secret;
}

struct Host {
  explicit Host(std::string_view digits) : private_key(secret_of(digits)), public_key(private_key.public_key()) {}
  ProductionPrivateKey private_key;
  ProductionPublicKey public_key;
};

MessageKeys derive(const Host& own, const Host& peer, const PresharedKey* preshared = nullptr) {
  auto keys = derive_message_keys(kSuite, own.private_key, own.public_key, peer.public_key, preshared);
  EXPECT_TRUE(keys);
  return std::move(*keys);
}

class MessageKeysTest : public testing::Test {
 protected:
  // RFC 7748, section 6.1. Alice's public key is the smaller.
  const Host alice_{"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"};
  const Host bob_{"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"};
  const PresharedKey preshared_{secret_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")};
};

// The known answers are those of tests/vectors/primitives.py and Python's hashlib.
TEST_F(MessageKeysTest, AreThoseOfThePage) {
  const MessageKeys keys = derive(alice_, bob_);
  EXPECT_THAT(keys.sending.view(),
              ElementsAreArray(hex("ca845dd2e3953c8049934ba2647f00c798e53c4baa0f999c71e337e261db1b2d")));
  EXPECT_THAT(keys.receiving.view(),
              ElementsAreArray(hex("df7bb16e2254e7f0f376e6fb85ae7f42d6f08950d0dc3a14804890c5fd2bba04")));
}

TEST_F(MessageKeysTest, WithAPresharedKeyAreThoseOfThePage) {
  const MessageKeys keys = derive(alice_, bob_, &preshared_);
  EXPECT_THAT(keys.sending.view(),
              ElementsAreArray(hex("9b7506ceb974b38fe90f938588fadf988c376ebba74923fe61b25ba87957ed8c")));
  EXPECT_THAT(keys.receiving.view(),
              ElementsAreArray(hex("c77090b055fc97ce89d90399c1b5fe2f27723103be55bb76b18325ecc5ce0e4d")));
}

TEST_F(MessageKeysTest, AreTheSameAtBothEnds) {
  for (const PresharedKey* preshared : {static_cast<const PresharedKey*>(nullptr), &preshared_}) {
    const MessageKeys alices = derive(alice_, bob_, preshared);
    const MessageKeys bobs = derive(bob_, alice_, preshared);
    EXPECT_TRUE(alices.sending.equals(bobs.receiving));
    EXPECT_TRUE(alices.receiving.equals(bobs.sending));
    EXPECT_FALSE(alices.sending.equals(alices.receiving));
  }
}

TEST_F(MessageKeysTest, DifferWithThePresharedKeyAndWithout) {
  const PresharedKey zeros{base::Secret<kKeySize>()};
  const MessageKeys none = derive(alice_, bob_);
  const MessageKeys some = derive(alice_, bob_, &preshared_);
  const MessageKeys zero = derive(alice_, bob_, &zeros);
  EXPECT_FALSE(none.sending.equals(some.sending));
  EXPECT_FALSE(none.sending.equals(zero.sending));  // none is not the same as all zero, as it is for WireGuard
  EXPECT_FALSE(some.sending.equals(zero.sending));
}

TEST_F(MessageKeysTest, DifferFromSuiteToSuite) {
  const auto other = derive_message_keys(Suite{2}, alice_.private_key, alice_.public_key, bob_.public_key, nullptr);
  ASSERT_TRUE(other);
  EXPECT_FALSE(derive(alice_, bob_).sending.equals(other->sending));
  EXPECT_FALSE(derive(alice_, bob_).receiving.equals(other->receiving));
}

TEST_F(MessageKeysTest, DifferFromPeerToPeer) {
  const Host carol("0000000000000000000000000000000000000000000000000000000000000001");
  EXPECT_FALSE(derive(alice_, bob_).sending.equals(derive(alice_, carol).sending));
  EXPECT_FALSE(derive(alice_, bob_).sending.equals(derive(carol, bob_).sending));
}

// F15, on the wire: whatever the directory let in, no key comes of it.
TEST_F(MessageKeysTest, F15NoneComeOfAPointOfSmallOrder) {
  for (const auto* digits : {"0000000000000000000000000000000000000000000000000000000000000000",
                             "0100000000000000000000000000000000000000000000000000000000000000",
                             "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                             "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                             "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                             "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    ProductionPublicKey peer;
    peer.bytes = hex_array<kKeySize>(digits);
    const auto keys = derive_message_keys(kSuite, alice_.private_key, alice_.public_key, peer, nullptr);
    ASSERT_FALSE(keys) << digits;
    EXPECT_EQ(keys.error().code, base::ErrorCode::kInvalid);
  }
}

// What one host sealed for the other, between them.
class DirectionTest : public MessageKeysTest {
 protected:
  static Bytes seal_with(const base::Secret<kKeySize>& key) {
    const Bytes plaintext{1, 2, 3};
    Bytes out(plaintext.size() + kTagSize);
    seal(kSuite, key, Nonce{}, {}, plaintext, out);
    return out;
  }
  static bool opens(const base::Secret<kKeySize>& key, const Bytes& sealed) {
    Bytes out(sealed.size() - kTagSize);
    return open(kSuite, key, Nonce{}, {}, sealed, out);
  }
};

TEST_F(DirectionTest, WhatOneSealsTheOtherOpens) {
  EXPECT_TRUE(opens(derive(bob_, alice_).receiving, seal_with(derive(alice_, bob_).sending)));
  EXPECT_TRUE(opens(derive(alice_, bob_).receiving, seal_with(derive(bob_, alice_).sending)));
}

TEST_F(DirectionTest, F8AReflectedMessageDoesNotOpen) {
  const MessageKeys alices = derive(alice_, bob_);
  EXPECT_FALSE(opens(alices.receiving, seal_with(alices.sending)));
  const MessageKeys bobs = derive(bob_, alice_);
  EXPECT_FALSE(opens(bobs.receiving, seal_with(bobs.sending)));
}

// Two hosts by mistake with one key: neither takes its own words for the other's.
TEST_F(DirectionTest, F8AHostThatIsItsOwnPeerDoesNotOpenItsOwnMessages) {
  const MessageKeys keys = derive(alice_, alice_);
  EXPECT_FALSE(opens(keys.receiving, seal_with(keys.sending)));
}

// F17: on one side only, or another.
TEST_F(DirectionTest, F17WithoutTheSamePresharedKeyNothingOpens) {
  const PresharedKey other(secret_of("ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
  const Bytes sealed = seal_with(derive(alice_, bob_, &preshared_).sending);
  EXPECT_TRUE(opens(derive(bob_, alice_, &preshared_).receiving, sealed));
  EXPECT_FALSE(opens(derive(bob_, alice_, &other).receiving, sealed));
  EXPECT_FALSE(opens(derive(bob_, alice_).receiving, sealed));
  EXPECT_FALSE(opens(derive(bob_, alice_, &preshared_).receiving, seal_with(derive(alice_, bob_).sending)));
}

}  // namespace
}  // namespace anubis::crypto

// What follows from an invitation's secret: docs/protocol.md, section 13.
#include "lib/crypto/invitation.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace anubis::crypto {
namespace {

class InvitationTest : public testing::Test {
 protected:
  InvitationTest() { initialise(); }

  static PublicKey key(std::uint8_t number) {
    PublicKey key;
    key.bytes[0] = number;
    return key;
  }

  base::SystemRandom random_;
  InvitationSecret secret_ = InvitationSecret::generate(random_);
  ProductionPublicKey production_{key(1)};
  SidePublicKey side_{key(2)};
};

TEST_F(InvitationTest, EverythingThatFollowsDiffersAndIsTheSameEachTime) {
  const std::set<std::string> keys{derive_side_key(secret_).public_key().to_base64(),
                                   derive_production_key(secret_).public_key().to_base64(),
                                   derive_proof_key(secret_).to_base64()};
  EXPECT_EQ(keys.size(), 3u);
  EXPECT_TRUE(keys.contains(derive_side_key(secret_).public_key().to_base64()));
  const auto other = InvitationSecret::generate(random_);
  EXPECT_FALSE(keys.contains(derive_side_key(other).public_key().to_base64()));
  EXPECT_FALSE(keys.contains(derive_proof_key(other).to_base64()));
}

TEST_F(InvitationTest, AProofIsGoodForItsNameAndItsKeysAlone) {
  const ProofKey verifier = derive_proof_key(secret_);
  const Proof proof = prove(secret_, {"petra", production_, side_});
  EXPECT_TRUE(verify(verifier, {"petra", production_, side_}, proof));
  EXPECT_FALSE(verify(verifier, {"petr", production_, side_}, proof));
  EXPECT_FALSE(verify(verifier, {"petraa", production_, side_}, proof));
  EXPECT_FALSE(verify(verifier, {"petra", ProductionPublicKey(key(3)), side_}, proof));
  EXPECT_FALSE(verify(verifier, {"petra", production_, SidePublicKey(key(3))}, proof));
  EXPECT_FALSE(verify(verifier, {"petra", ProductionPublicKey(side_), SidePublicKey(production_)}, proof));
}

TEST_F(InvitationTest, AProofOfAnotherSecretOrWithAnyBitChangedIsNone) {
  const ProofKey verifier = derive_proof_key(secret_);
  const Enrolled enrolled{"petra", production_, side_};
  EXPECT_FALSE(verify(verifier, enrolled, prove(InvitationSecret::generate(random_), enrolled)));
  EXPECT_FALSE(verify(ProofKey{}, enrolled, Proof{}));
  for (std::size_t bit = 0; bit < 8 * std::tuple_size_v<Proof>; ++bit) {
    Proof proof = prove(secret_, enrolled);
    proof[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(verify(verifier, enrolled, proof)) << bit;
  }
}

TEST_F(InvitationTest, GeneratedKeysHaveTheFormOfWireGuards) {
  for (int i = 0; i < 100; ++i) {
    const auto secret = generate_private_key(random_);
    EXPECT_EQ(secret.view().front() & 7, 0);
    EXPECT_EQ(secret.view().back() & 0xc0, 0x40);
  }
}

}  // namespace
}  // namespace anubis::crypto

// docs/protocol.md, section 3.3.
#include "lib/crypto/suites.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <numeric>
#include <set>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/hex.h"

namespace anubis::crypto {
namespace {

using test::hex;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Optional;

using Bytes = std::vector<std::uint8_t>;

constexpr auto kXChaCha = Suite::kXChaCha20Poly1305;
constexpr Suite kAes{2};

TEST(Suites, HaveNumbersAndNamesOfTheirOwn) {
  std::set<std::string_view> names;
  std::set<std::string_view> protocol_names;
  const auto known = known_suites();
  EXPECT_TRUE(std::ranges::is_sorted(known));
  for (const Suite suite : known) {
    names.insert(name_of(suite));
    protocol_names.insert(protocol_name_of(suite));
    EXPECT_THAT(find_suite(static_cast<std::uint64_t>(suite)), Optional(suite));
    EXPECT_THAT(find_suite(name_of(suite)), Optional(suite));
  }
  EXPECT_EQ(std::set(known.begin(), known.end()).size(), known.size());
  EXPECT_EQ(names.size(), known.size());
  EXPECT_EQ(protocol_names.size(), known.size());
}

TEST(Suites, AreTheTwoOfThePage) {
  EXPECT_THAT(known_suites(), ElementsAre(kXChaCha, kAes));
  EXPECT_EQ(protocol_name_of(kXChaCha), "XChaCha20-Poly1305-IETF");
  EXPECT_EQ(protocol_name_of(kAes), "BLAKE2b-AES-256-GCM");
}

TEST(Suites, OthersAreNotFound) {
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{255}, std::uint64_t{0x101}}) {
    EXPECT_FALSE(find_suite(number)) << number;
  }
  for (const std::string_view name : {"", "aes", "AES256GCM", "BLAKE2b-AES-256-GCM"}) {
    EXPECT_FALSE(find_suite(name)) << name;
  }
  EXPECT_FALSE(is_available(Suite{3}));
}

TEST(Suites, AreAvailableWhereTheHardwareHasWhatTheyNeed) {
  initialise();
  EXPECT_THAT(available_suites(), Contains(kXChaCha));
#ifdef __x86_64__
  std::ifstream file("/proc/cpuinfo");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto has = [&text](const char* flag) { return text.find(std::string(" ") + flag + " ") != std::string::npos; };
  EXPECT_EQ(is_available(kAes), has("aes") && has("pclmulqdq"));
#endif
  EXPECT_EQ(std::ranges::count(available_suites(), kAes), is_available(kAes) ? 1 : 0);
}

TEST(Suites, TheHighestNumberOfThoseInCommonIsTaken) {
  const std::vector<Suite> both{kXChaCha, kAes};
  const std::vector<Suite> both_reversed{kAes, kXChaCha};
  const std::vector<Suite> one{kXChaCha};
  const std::vector<Suite> other{kAes};
  EXPECT_THAT(best_common(both, both_reversed), Optional(kAes));
  EXPECT_THAT(best_common(both_reversed, both), Optional(kAes));
  EXPECT_THAT(best_common(both, one), Optional(kXChaCha));
  EXPECT_THAT(best_common(other, both), Optional(kAes));
  EXPECT_FALSE(best_common(one, other));
  EXPECT_FALSE(best_common({}, both));
}

// One key, nonce, associated data and plaintext for all: those of draft-irtf-cfrg-xchacha-03, section A.3.1.
struct KnownAnswer {
  Suite suite;
  std::string_view sealed;
};

class SealTest : public testing::TestWithParam<KnownAnswer> {
 protected:
  SealTest() {
    initialise();
    std::iota(nonce_.begin(), nonce_.end(), std::uint8_t{0x40});
    std::iota(key_.writable().begin(), key_.writable().end(), std::uint8_t{0x80});
  }
  void SetUp() override {
    if (!is_available(suite_)) GTEST_SKIP() << "this hardware has no AES";
  }

  [[nodiscard]] bool opens(const Bytes& sealed, const Nonce& nonce, const Bytes& associated) const {
    Bytes out(sealed.size() - kTagSize, 0xff);
    const bool is_open = open(suite_, key_, nonce, associated, sealed, out);
    if (!is_open) {
      EXPECT_THAT(out, Each(0));
    }
    return is_open;
  }

  const Suite suite_ = GetParam().suite;
  const Bytes sealed_ = hex(GetParam().sealed);
  base::Secret<kKeySize> key_;
  const Bytes associated_ = hex("50515253c0c1c2c3c4c5c6c7");
  static constexpr std::string_view kText =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be "
      "it.";
  const Bytes plaintext_{kText.begin(), kText.end()};
  Nonce nonce_{};
};

TEST_P(SealTest, IsThatOfThePage) {
  Bytes out(plaintext_.size() + kTagSize);
  seal(suite_, key_, nonce_, associated_, plaintext_, out);
  EXPECT_EQ(out, sealed_);
}

TEST_P(SealTest, Opens) {
  Bytes out(plaintext_.size());
  EXPECT_TRUE(open(suite_, key_, nonce_, associated_, sealed_, out));
  EXPECT_EQ(out, plaintext_);
}

TEST_P(SealTest, MayBeMadeInPlace) {
  Bytes buffer = plaintext_;
  buffer.resize(plaintext_.size() + kTagSize);
  seal(suite_, key_, nonce_, associated_, std::span(buffer).first(plaintext_.size()), buffer);
  EXPECT_EQ(buffer, sealed_);
}

// As large as a datagram's, where implementations take several blocks at once.
TEST_P(SealTest, OfEverySizeOpensAndMayBeMadeInPlace) {
  for (std::size_t size = 0; size < 1200; size += 7) {
    Bytes plaintext(size);
    std::iota(plaintext.begin(), plaintext.end(), std::uint8_t{1});
    Bytes sealed(size + kTagSize);
    seal(suite_, key_, nonce_, associated_, plaintext, sealed);
    Bytes in_place = plaintext;
    in_place.resize(size + kTagSize);
    seal(suite_, key_, nonce_, associated_, std::span(in_place).first(size), in_place);
    ASSERT_EQ(in_place, sealed) << size;
    Bytes opened(size);
    ASSERT_TRUE(open(suite_, key_, nonce_, associated_, sealed, opened)) << size;
    ASSERT_EQ(opened, plaintext) << size;
  }
}

TEST_P(SealTest, F22AnyFlippedBitKeepsItShutAndNothingIsLeftInTheBuffer) {
  for (std::size_t bit = 0; bit < sealed_.size() * 8; ++bit) {
    Bytes flipped = sealed_;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_FALSE(opens(flipped, nonce_, associated_)) << bit;
  }
  for (std::size_t bit = 0; bit < associated_.size() * 8; ++bit) {
    Bytes flipped = associated_;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_FALSE(opens(sealed_, nonce_, flipped)) << bit;
  }
  for (std::size_t bit = 0; bit < kNonceSize * 8; ++bit) {
    Nonce flipped = nonce_;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_FALSE(opens(sealed_, flipped, associated_)) << bit;
  }
}

// What is the same under two nonces must differ in every part of the ciphertext: for AES-256-GCM both halves of the
// nonce count, and the first one makes another key.
TEST_P(SealTest, EveryBitOfTheNonceChangesTheKeystream) {
  for (std::size_t bit = 0; bit < kNonceSize * 8; ++bit) {
    Nonce flipped = nonce_;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    Bytes out(plaintext_.size() + kTagSize);
    seal(suite_, key_, flipped, associated_, plaintext_, out);
    for (std::size_t block = 0; block + 16 <= plaintext_.size(); block += 16) {
      EXPECT_FALSE(std::equal(out.begin() + static_cast<std::ptrdiff_t>(block),
                              out.begin() + static_cast<std::ptrdiff_t>(block + 16),
                              sealed_.begin() + static_cast<std::ptrdiff_t>(block)))
          << bit;
    }
  }
}

TEST_P(SealTest, ABufferOfAnotherSizeKeepsItShut) {
  Bytes shorter(plaintext_.size() - 1);
  Bytes longer(plaintext_.size() + 1);
  EXPECT_FALSE(open(suite_, key_, nonce_, associated_, sealed_, shorter));
  EXPECT_FALSE(open(suite_, key_, nonce_, associated_, sealed_, longer));
}

TEST_P(SealTest, WhatIsShorterThanATagStaysShut) {
  for (std::size_t size = 0; size < kTagSize; ++size) {
    EXPECT_FALSE(open(suite_, key_, nonce_, associated_, std::span(sealed_).first(size), {})) << size;
  }
}

// The second is of Python's hashlib and cryptography.
INSTANTIATE_TEST_SUITE_P(
    All, SealTest,
    testing::Values(
        KnownAnswer{kXChaCha,
                    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
                    "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
                    "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49"},
        KnownAnswer{kAes,
                    "a026740bc9c4cac209e91be8404d39c1438fe09a380e79f2ea1047707b51e989157f7fa2e036767721257d7857fdc4eb"
                    "85b5d3f822b7bf6d1a00771940a4a54577acb259f04a34f584932619d0b428452521864a9164e9496a63ac2bb7fdadbf"
                    "abdf8eb8090ad57f5f6f99f18c09daeeb2d3b8a5e591f4e0023a0342243f108b5ff5"}),
    [](const auto& each) { return std::string(name_of(each.param.suite)); });

}  // namespace
}  // namespace anubis::crypto

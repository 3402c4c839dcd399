#include "lib/crypto/invitation.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <sodium.h>

namespace anubis::crypto {
namespace {

static_assert(crypto_sign_SEEDBYTES == kKeySize && crypto_sign_PUBLICKEYBYTES == kKeySize);
static_assert(std::tuple_size_v<Proof> == crypto_sign_BYTES);

// Keyed BLAKE2b: what one context gives says nothing of what another gives.
base::Secret<kKeySize> derive(const InvitationSecret& secret, std::string_view context) {
  base::Secret<kKeySize> out;
  crypto_generichash(out.writable().data(), kKeySize, reinterpret_cast<const unsigned char*>(context.data()),
                     context.size(), secret.view().data(), kKeySize);
  return out;
}

base::Secret<kKeySize> derive_private_key(const InvitationSecret& secret, std::string_view context) {
  auto key = derive(secret, context);
  key.writable().front() &= 0xf8;
  key.writable().back() = static_cast<std::uint8_t>((key.writable().back() & 0x7f) | 0x40);
  return key;
}

struct SigningPair {
  ProofKey public_key;
  base::Secret<crypto_sign_SECRETKEYBYTES> secret_key;
};

SigningPair signing_pair(const InvitationSecret& secret) {
  const auto seed = derive(secret, "anubis invitation proof, version 1");
  SigningPair pair;
  crypto_sign_seed_keypair(pair.public_key.bytes.data(), pair.secret_key.writable().data(), seed.view().data());
  return pair;
}

std::vector<std::uint8_t> message_of(const Enrolled& enrolled) {
  constexpr std::string_view kContext = "anubis enrolment, version 1";
  std::vector<std::uint8_t> message(kContext.begin(), kContext.end());
  message.push_back(static_cast<std::uint8_t>(enrolled.name.size()));  // names have at most 63 bytes
  message.insert(message.end(), enrolled.name.begin(), enrolled.name.end());
  const auto& production = enrolled.public_key.bytes;
  const auto& side = enrolled.side_public_key.bytes;
  message.insert(message.end(), production.begin(), production.end());
  message.insert(message.end(), side.begin(), side.end());
  return message;
}

}  // namespace

InvitationSecret InvitationSecret::generate(base::Random& random) {
  base::Secret<kKeySize> secret;
  random.fill(secret.writable());
  return InvitationSecret(std::move(secret));
}

SidePrivateKey derive_side_key(const InvitationSecret& secret) {
  return SidePrivateKey(derive_private_key(secret, "anubis invitation side key, version 1"));
}

ProductionPrivateKey derive_production_key(const InvitationSecret& secret) {
  return ProductionPrivateKey(derive_private_key(secret, "anubis invitation production key, version 1"));
}

std::string ProofKey::to_base64() const {
  PublicKey key;
  key.bytes = bytes;
  return key.to_base64();
}

ProofKey derive_proof_key(const InvitationSecret& secret) { return signing_pair(secret).public_key; }

base::Result<ProofKey> parse_proof_key(std::string_view text) {
  const auto bytes = parse_secret(text);
  if (!bytes) return base::fail(base::ErrorCode::kInvalid, "is no proof key: 44 characters of base64");
  ProofKey key;
  std::ranges::copy(bytes->view(), key.bytes.begin());
  return key;
}

Proof prove(const InvitationSecret& secret, const Enrolled& enrolled) {
  const auto pair = signing_pair(secret);
  const auto message = message_of(enrolled);
  Proof proof{};
  crypto_sign_detached(proof.data(), nullptr, message.data(), message.size(), pair.secret_key.view().data());
  return proof;
}

bool verify(const ProofKey& key, const Enrolled& enrolled, const Proof& proof) {
  const auto message = message_of(enrolled);
  return crypto_sign_verify_detached(proof.data(), message.data(), message.size(), key.bytes.data()) == 0;
}

}  // namespace anubis::crypto

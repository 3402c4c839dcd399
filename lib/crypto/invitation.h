// What follows from the secret of an invitation (docs/protocol.md, section 13): a one-time host, that is a side key and
// a production key, and a key that signs what is enrolled. Whoever invites keeps their public halves only, so that what
// stands in its configuration enrols nobody.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "lib/base/random.h"
#include "lib/base/secret.h"
#include "lib/crypto/keys.h"

namespace anubis::crypto {

class InvitationSecret {
 public:
  explicit InvitationSecret(base::Secret<kKeySize> secret) : secret_(std::move(secret)) {}
  static InvitationSecret generate(base::Random& random);

  [[nodiscard]] std::span<const std::uint8_t, kKeySize> view() const { return secret_.view(); }

 private:
  base::Secret<kKeySize> secret_;
};

// Of the one-time host.
[[nodiscard]] SidePrivateKey derive_side_key(const InvitationSecret& secret);
[[nodiscard]] ProductionPrivateKey derive_production_key(const InvitationSecret& secret);

// Ed25519's public key, of the pair that signs enrolments.
struct ProofKey {
  std::array<std::uint8_t, kKeySize> bytes{};
  auto operator<=>(const ProofKey&) const = default;
  [[nodiscard]] std::string to_base64() const;
};
[[nodiscard]] ProofKey derive_proof_key(const InvitationSecret& secret);
// kInvalid unless text is the base64 of 32 bytes.
[[nodiscard]] base::Result<ProofKey> parse_proof_key(std::string_view text);

// That whoever has the secret wants a host with these keys to be enrolled under the invitation's name.
using Proof = std::array<std::uint8_t, 64>;
struct Enrolled {
  std::string_view name;
  const ProductionPublicKey& public_key;
  const SidePublicKey& side_public_key;
};
[[nodiscard]] Proof prove(const InvitationSecret& secret, const Enrolled& enrolled);
[[nodiscard]] bool verify(const ProofKey& key, const Enrolled& enrolled, const Proof& proof);

}  // namespace anubis::crypto

// Sealing of messages between two hosts that know each other's production public key (docs/protocol.md, section 3).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/secret.h"
#include "lib/crypto/keys.h"

namespace anubis::crypto {

constexpr std::size_t kNonceSize = 24;
constexpr std::size_t kTagSize = 16;

// Numbers of the protocol, strongest last.
enum class Suite : std::uint8_t {
  kXChaCha20Poly1305 = 1,
};

using Nonce = std::array<std::uint8_t, kNonceSize>;

// The keys of one pair of hosts and one suite: one for each direction.
struct MessageKeys {
  base::Secret<kKeySize> sending;
  base::Secret<kKeySize> receiving;
};

// One X25519 and a few hashes (~60 µs): cache the result. kInvalid when the peer's key has small order.
// preshared may be null.
[[nodiscard]] base::Result<MessageKeys> derive_message_keys(Suite suite, const ProductionPrivateKey& own_private,
                                                            const ProductionPublicKey& own_public,
                                                            const ProductionPublicKey& peer,
                                                            const PresharedKey* preshared);

// Writes ciphertext and tag (plaintext.size() + kTagSize bytes) to out, which must have exactly that size.
// plaintext may be the beginning of out.
void seal(Suite suite, const base::Secret<kKeySize>& key, const Nonce& nonce,
          std::span<const std::uint8_t> associated_data, std::span<const std::uint8_t> plaintext,
          std::span<std::uint8_t> out);

// Writes the plaintext (sealed.size() - kTagSize bytes) to out, which must have exactly that size.
// False, with out wiped, when anything was changed.
[[nodiscard]] bool open(Suite suite, const base::Secret<kKeySize>& key, const Nonce& nonce,
                        std::span<const std::uint8_t> associated_data, std::span<const std::uint8_t> sealed,
                        std::span<std::uint8_t> out);

}  // namespace anubis::crypto

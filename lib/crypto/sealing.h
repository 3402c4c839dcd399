// The keys that seal the messages between two hosts which know each other's production public key (docs/protocol.md,
// section 3.2). Sealing itself is the suites' business.
#pragma once

#include "lib/base/result.h"
#include "lib/base/secret.h"
#include "lib/crypto/keys.h"
#include "lib/crypto/suites.h"

namespace anubis::crypto {

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

}  // namespace anubis::crypto

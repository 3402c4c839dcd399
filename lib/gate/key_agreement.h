// Where the gatekeeper's message keys come from. It holds no private key itself: whoever does may be another process.
#pragma once

#include "lib/base/result.h"
#include "lib/crypto/keys.h"
#include "lib/crypto/sealing.h"
#include "lib/model/directory.h"
#include "lib/model/peer.h"

namespace anubis::gate {

class KeyAgreement {
 public:
  virtual ~KeyAgreement() = default;

  // Of our production key, the peer's, and the preshared key that is configured for it, if any; of its companion, of
  // our production key and the companion's alone. Costs one X25519 (~60 µs), so the caller keeps the result. kInvalid
  // when the other key has small order; kNotFound: no such peer, or it has no companion.
  virtual base::Result<crypto::MessageKeys> derive(model::PeerIndex peer, model::Speaker speaker,
                                                   crypto::Suite suite) = 0;
};

// With the private key at hand.
class LocalKeyAgreement final : public KeyAgreement {
 public:
  // Both must outlive it.
  LocalKeyAgreement(const crypto::ProductionPrivateKey& own_key, const model::PeerDirectory& directory)
      : own_key_(own_key), own_public_key_(own_key.public_key()), directory_(directory) {}

  base::Result<crypto::MessageKeys> derive(model::PeerIndex peer, model::Speaker speaker, crypto::Suite suite) override;

 private:
  const crypto::ProductionPrivateKey& own_key_;
  crypto::ProductionPublicKey own_public_key_;
  const model::PeerDirectory& directory_;
};

}  // namespace anubis::gate

#include "lib/gate/key_agreement.h"

namespace anubis::gate {

base::Result<crypto::MessageKeys> LocalKeyAgreement::derive(model::PeerIndex peer, crypto::Suite suite) {
  const model::Peer* const authorised = directory_.get(peer);
  if (authorised == nullptr) return base::fail(base::ErrorCode::kNotFound, "the configuration does not name this peer");
  return crypto::derive_message_keys(suite, own_key_, own_public_key_, authorised->public_key,
                                     authorised->preshared_key.get());
}

}  // namespace anubis::gate

#include "lib/gate/key_agreement.h"

namespace anubis::gate {

base::Result<crypto::MessageKeys> LocalKeyAgreement::derive(model::PeerIndex peer, model::Speaker speaker,
                                                            crypto::Suite suite) {
  const model::Peer* const authorised = directory_.get(peer);
  if (authorised == nullptr) return base::fail(base::ErrorCode::kNotFound, "the configuration does not name this peer");
  switch (speaker) {
    case model::Speaker::kPeer:
      return crypto::derive_message_keys(suite, own_key_, own_public_key_, authorised->public_key,
                                         authorised->preshared_key.get());
    case model::Speaker::kCompanion:
      break;
  }
  if (!authorised->companion_key) return base::fail(base::ErrorCode::kNotFound, "this peer has no companion");
  return crypto::derive_message_keys(suite, own_key_, own_public_key_,
                                     crypto::ProductionPublicKey(*authorised->companion_key), nullptr);
}

}  // namespace anubis::gate

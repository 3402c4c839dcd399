// WireGuard's preshared key of a session: who draws it, and how both ends come to have the same
// (docs/protocol.md, 9.4).
//
// Whoever asks for up or renew draws a fresh key and sends it along. The responder installs it and answers with its id;
// then the asker installs it as well (for up it has already). Only when both ask at once are there two keys: that of an
// up counts more than that of a renew, and else that of the end with the lower production key.
#include "lib/gate/gatekeeper.h"

namespace anubis::gate {
namespace {

bool has_id(const SharedPresharedKey& key, const std::optional<crypto::PresharedKeyId>& id) {
  return key && id && crypto::id_of(*key) == *id;
}

}  // namespace

// The same for all datagrams of one exchange in one suite; fresh for each exchange.
SharedPresharedKey Gatekeeper::key_to_send(const Session& with, wire::Operation operation) {
  if (operation != wire::Operation::kUp && operation != wire::Operation::kRenew) return nullptr;
  if (with.exchange && with.exchange->operation == operation) {
    return with.exchange->overruled ? with.preshared_key : with.exchange->preshared_key;
  }
  return fresh_key();
}

SharedPresharedKey Gatekeeper::fresh_key() {
  base::Secret<crypto::kKeySize> secret;
  random_.fill(secret.writable());
  return std::make_shared<crypto::WireGuardPresharedKey>(std::move(secret));
}

// The responder's side: which key the session has from now on. Null: none.
SharedPresharedKey Gatekeeper::settle_key(PeerIndex peer, Session& with, const wire::Request& request) {
  with.preshared_key = request.preshared_key;
  if (with.exchange && with.exchange->preshared_key && request.preshared_key) {
    if (with.exchange->operation == request.operation && own_public_key_ < directory_.get(peer)->public_key) {
      with.preshared_key = with.exchange->preshared_key;
    } else {
      with.exchange->overruled = true;
    }
  }
  return with.preshared_key;
}

// An answer that is older than what we took from the peer since: whether it had ours first or last, only it can tell.
bool Gatekeeper::must_ask_again(const Session& with, const wire::Reply& reply) const {
  return with.exchange->overruled && has_id(with.exchange->preshared_key, reply.preshared_key_id);
}

// The peer has been told that our key counts, so it will have no other: whatever else it answers now, no command
// waiting any more, it has to hear of ours.
bool Gatekeeper::must_ask_on(const Session& with) {
  return !with.attempt && with.state == SessionState::kUp && with.exchange->operation == wire::Operation::kRenew &&
         with.preshared_key && with.preshared_key == with.exchange->preshared_key;
}

// The initiator's side: what to install. Null: what stands there stays.
SharedPresharedKey Gatekeeper::take_key(Session& with, const SharedPresharedKey& sent, const wire::Reply& reply) {
  if (!reply.preshared_key_id) {
    with.preshared_key.reset();
    return crypto::no_preshared_key();
  }
  if (has_id(sent, reply.preshared_key_id)) {
    with.preshared_key = sent;
  } else if (!has_id(with.preshared_key, reply.preshared_key_id)) {
    return nullptr;  // the peer's own, which its request, under way to us, will bring
  }
  return with.preshared_key;
}

}  // namespace anubis::gate

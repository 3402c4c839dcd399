// Peers on which no Anubis runs: phones with the WireGuard app, tunnels that were there before. There is nobody to ask,
// so what is done at this end is all that is done (docs/decisions/0022).
//
//     up      the peer is installed; where we know an endpoint it must also shake hands, while a roamer comes by itself
//     down    it is removed
//     lease   ends the wish, for nobody else is there to renew it
//
// What such a peer asks of us, a page in its browser, say, is the responder's business as with any other.
#include <algorithm>
#include <chrono>

#include "lib/gate/gatekeeper.h"

namespace anubis::gate {

using base::Time;
using Phase = Attempt::Phase;

bool Gatekeeper::is_plain(PeerIndex peer) const { return directory_.get(peer)->is_plain; }

// Nothing is to be expected of a roamer: it may be switched off, or behind a NAT.
bool Gatekeeper::comes_by_itself(PeerIndex peer) const { return is_plain(peer) && !directory_.get(peer)->endpoint; }

// In place of the request for up and its reply.
void Gatekeeper::install_plain(PeerIndex peer, Session& with) {
  Attempt& attempt = *with.attempt;
  // What another of its group has waits for the handshake, where there will be one.
  const bool takes_over_now = attempt.takes_over && comes_by_itself(peer);
  attempt.phase = takes_over_now ? Phase::kTakingOver : Phase::kInstalling;
  with.awaited = new_ticket();
  const bool is_new = with.state != SessionState::kUp && !comes_by_itself(peer);
  install(peer, *with.awaited, with, is_new ? Installation::kRecreate : Installation::kKeep,
          takes_over_now || !attempt.takes_over);
}

void Gatekeeper::keep(PeerIndex peer, Time now) {
  Session& with = session(peer);
  if (with.lease_end) return;  // as configured, it is to end with that
  with.wish = Wish{.insistence = Insistence::kPersistent, .fulfilled = true};
  reschedule(peer, with, now);
}

// Nobody renews its lease but whoever asks for it again.
void Gatekeeper::end_wish_with_lease(PeerIndex peer, Session& with, Time now) const {
  const auto lease = lease_to_ask(peer, with, now);
  if (is_plain(peer) && lease > std::chrono::seconds(0)) with.attempt->wish.until = now + lease;
}

}  // namespace anubis::gate

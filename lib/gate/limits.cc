// What others can make us do, and what we remember of them: docs/protocol.md, section 4.4.
#include <tuple>

#include "lib/gate/gatekeeper.h"

namespace anubis::gate {

using base::Time;

Session& Gatekeeper::session(PeerIndex peer) {
  const auto [position, is_new] = sessions_.try_emplace(peer);
  if (is_new) {
    position->second.responder.token = random_.bytes<std::tuple_size_v<wire::Token>>();
    if (idle_.size() > settings_.limits.idle_sessions) {
      // Forgotten as by a restart: its peer will be answered STALE once.
      sessions_.erase(idle_.front());
      idle_.pop_front();
    }
  }
  return position->second;
}

bool Gatekeeper::is_within_share(Session& with, Time now) {
  const Limits& limits = settings_.limits;
  if (!with.share.has(limits.per_peer, 1, now)) return false;
  if (!in_all_.take(limits.in_all, now) && !with.share.has(limits.per_peer, limits.per_peer.burst / 2, now)) {
    return false;
  }
  return with.share.take(limits.per_peer, now);
}

void Gatekeeper::turn_away(CommandId command, PeerIndex peer) {
  emit(FinishCommand{command, peer, {.verdict = Verdict::kLocal, .text = "too many commands wait for it already"}});
}

void Gatekeeper::note_idleness(PeerIndex peer, Session& with) {
  const bool is_idle = is_down(with.state) && !with.wake_at && !with.exchange && !with.attempt &&
                       !with.responder.pending && !with.peer_may_be_up && !with.remembered && !is_fellow(peer);
  if (is_idle && with.idle_at) {
    idle_.splice(idle_.end(), idle_, *with.idle_at);
  } else if (is_idle) {
    with.idle_at = idle_.insert(idle_.end(), peer);
  } else if (with.idle_at) {
    idle_.erase(*with.idle_at);
    with.idle_at.reset();
  }
}

}  // namespace anubis::gate

// Servers of one group tell one another which clients each of them has, so that what is for a client goes to the server
// that it is with (docs/protocol.md, 9.6). A change is told at once; everything, to a server that knows nothing of us.
#include <algorithm>
#include <chrono>
#include <utility>

#include "lib/gate/gatekeeper.h"

namespace anubis::gate {
namespace {

using namespace std::chrono_literals;
using base::Time;

// A server that tells its clients afresh has come to all of them when nothing came for so long.
constexpr base::Duration kPauseOfTelling = 3s;
// A client that another server has, and that never took its leave here, is taken down here after this.
constexpr base::Duration kForgottenLeave = 60s;

}  // namespace

bool Gatekeeper::is_fellow(PeerIndex peer) const {
  if (settings_.group.empty()) return false;
  const model::Peer* const found = directory_.get(peer);
  return found != nullptr && found->group == settings_.group && !found->is_plain;
}

void Gatekeeper::find_fellows(Time now) {
  const auto before = std::exchange(fellows_, {});
  if (settings_.group.empty()) return;
  directory_.for_each([this](PeerIndex peer, const model::Peer&) {
    if (is_fellow(peer)) fellows_.push_back(peer);
  });
  for (const PeerIndex peer : fellows_) {
    if (std::ranges::find(before, peer) != before.end()) continue;
    Session& with = session(peer);
    with.fellow.tell_afresh = true;
    reschedule(peer, with, now);
  }
  for (const auto& [client, with] : servers_) {
    if (!is_fellow(with.server)) emit(CarryClient{client, std::nullopt});
  }
  std::erase_if(servers_, [this](const auto& entry) { return !is_fellow(entry.second.server); });
}

// --- telling ---------------------------------------------------------------------------------------------------------

void Gatekeeper::note_client(PeerIndex peer, Time now) {
  if (fellows_.empty() || is_fellow(peer)) return;
  changed_clients_.insert(peer);
  changed_at_ = now;
}

void Gatekeeper::tell_fellows(Time now) {
  const auto changed = std::exchange(changed_clients_, {});
  if (changed.empty()) return;
  for (const PeerIndex peer : fellows_) {
    Session& with = session(peer);
    if (!with.fellow.tell_afresh) with.fellow.to_tell.insert(changed.begin(), changed.end());
    reschedule(peer, with, now);
  }
}

void Gatekeeper::plan_telling(PeerIndex peer, Session& with, Time now) {
  Fellow& fellow = with.fellow;
  if ((!fellow.tell_afresh && fellow.to_tell.empty()) || with.exchange || with.attempt || leaving_ || !is_fellow(peer))
    return;
  if (fellow.tell_afresh) {
    fellow.to_tell.clear();
    for (const auto& [client, session] : sessions_) {
      if (session.state == SessionState::kUp && !is_fellow(client)) fellow.to_tell.insert(client);
    }
  }
  ask(peer, with, wire::Operation::kClients, now);
}

wire::Clients Gatekeeper::clients_to_tell(Session& with, Time now) const {
  wire::Clients clients{.held = {}, .released = {}, .afresh = with.fellow.tell_afresh, .asks = !with.fellow.has_told};
  for (const PeerIndex client : with.fellow.to_tell) {
    if (clients.held.size() + clients.released.size() == wire::kMaxClients) break;
    const model::Peer* const peer = directory_.get(client);
    if (peer == nullptr) continue;  // nobody of ours any more: the others have configurations of their own
    const auto found = sessions_.find(client);
    if (found != sessions_.end() && found->second.state == SessionState::kUp && !servers_.contains(client)) {
      clients.held.push_back(
          {peer->public_key, std::chrono::floor<std::chrono::milliseconds>(now - found->second.since)});
    } else {
      clients.released.push_back(peer->public_key);
    }
  }
  return clients;
}

void Gatekeeper::take_clients_reply(Session& with, const Exchange& answered, const wire::Reply& reply) {
  Fellow& fellow = with.fellow;
  if (reply.result == wire::ResultCode::kStale) return;  // its token changes faster than we can ask: again
  if (reply.result != wire::ResultCode::kOk) {  // it does not take us for a server of its group, or is older than this
    fellow.to_tell.clear();
    fellow.tell_afresh = false;
    return;
  }
  if (answered.clients.afresh) fellow.tell_afresh = false;
  // What has changed again since it was told is told again.
  const auto told = [&](const crypto::ProductionPublicKey& key, bool held) {
    const auto client = directory_.find(key);
    if (!client) return;
    const auto found = sessions_.find(*client);
    const bool is_held =
        found != sessions_.end() && found->second.state == SessionState::kUp && !servers_.contains(*client);
    if (is_held == held) fellow.to_tell.erase(*client);
  };
  for (const wire::HeldClient& each : answered.clients.held) told(each.public_key, true);
  for (const auto& key : answered.clients.released) told(key, false);
  std::erase_if(fellow.to_tell, [this](PeerIndex client) { return directory_.get(client) == nullptr; });
}

// --- being told ------------------------------------------------------------------------------------------------------

void Gatekeeper::take_clients(PeerIndex server, Session& with, const wire::Clients& clients, Time now) {
  if (clients.asks) with.fellow.tell_afresh = true;
  if (clients.afresh) {
    with.fellow.has_told = true;
    with.fellow.complete_at = now + kPauseOfTelling;
    for (auto& [client, is_with] : servers_) is_with.is_doubtful = is_with.is_doubtful || is_with.server == server;
  } else if (with.fellow.complete_at) {
    with.fellow.complete_at = now + kPauseOfTelling;
  }
  for (const wire::HeldClient& each : clients.held) {
    const auto client = directory_.find(each.public_key);
    if (client && !is_fellow(*client)) client_moved(*client, server, now - each.up_for, now);
  }
  for (const auto& key : clients.released) {
    const auto client = directory_.find(key);
    if (client) client_left(*client, server, now);
  }
}

// Who came up last is where the client is.
void Gatekeeper::client_moved(PeerIndex client, PeerIndex server, Time up_since, Time now) {
  const auto found = sessions_.find(client);
  if (found != sessions_.end() && found->second.state == SessionState::kUp) {
    Session& with = found->second;
    if (with.since > up_since) return note_client(client, now);  // it has come to us since
    if (!servers_.contains(client)) {
      with.forget_at = now + kForgottenLeave;
      reschedule(client, with, now);
    }
  }
  const auto [position, is_new] = servers_.try_emplace(client, WithServer{.server = server});
  const bool is_news = is_new || position->second.server != server;
  position->second = {.server = server};
  if (!is_news) return;
  emit(CarryClient{client, server});
  note_client(client, now);
}

void Gatekeeper::client_left(PeerIndex client, PeerIndex server, Time now) {
  const auto found = servers_.find(client);
  if (found == servers_.end() || found->second.server != server) return;
  servers_.erase(found);
  if (const auto with = sessions_.find(client); with != sessions_.end()) with->second.forget_at.reset();
  emit(CarryClient{client, std::nullopt});
  note_client(client, now);  // should it be up here, it is ours again
}

void Gatekeeper::wake_group(PeerIndex peer, Session& with, Time now) {
  if (with.fellow.complete_at && *with.fellow.complete_at <= now) {
    with.fellow.complete_at.reset();
    std::vector<PeerIndex> gone;
    for (const auto& [client, is_with] : servers_) {
      if (is_with.is_doubtful && is_with.server == peer) gone.push_back(client);
    }
    for (const PeerIndex client : gone) client_left(client, peer, now);
  }
  if (with.forget_at && *with.forget_at <= now) {
    with.forget_at.reset();
    const auto found = servers_.find(peer);
    if (found == servers_.end() || with.state != SessionState::kUp || with.attempt || with.wish) return;
    with.lease_end.reset();
    with.exchange.reset();
    void_token(with);
    remove_from_interface(peer);
    set_state(peer, with, SessionState::kDown, "it is with " + directory_.get(found->second.server)->name + " now",
              now);
  }
}

}  // namespace anubis::gate

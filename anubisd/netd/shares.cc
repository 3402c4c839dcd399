#include "anubisd/netd/shares.h"

#include <algorithm>
#include <string>

namespace anubis::netd {

using model::IpPrefix;

namespace {

const std::string& group_of(const model::PeerDirectory& directory, PeerIndex peer) {
  static const std::string kNone;
  const model::Peer* const found = directory.get(peer);
  return found != nullptr ? found->group : kNone;
}

}  // namespace

Shares::Before Shares::enter(PeerIndex peer, Claim claim) {
  Before before{.claim = {}, .server = server_of(peer)};
  if (claim != Claim::kNone) servers_.erase(peer);
  if (group_of(directory_, peer).empty()) return before;
  const auto [found, is_new] = claims_.try_emplace(peer, 0);
  if (!is_new) before.claim = found->second;
  if (claim == Claim::kTakes || (claim == Claim::kKeeps && found->second == 0)) found->second = ++last_claim_;
  return before;
}

void Shares::restore(PeerIndex peer, const Before& before) {
  if (before.claim) {
    claims_[peer] = *before.claim;
  } else {
    claims_.erase(peer);
  }
  carry(peer, before.server);
}

void Shares::leave(PeerIndex peer) { claims_.erase(peer); }

void Shares::carry(PeerIndex client, std::optional<PeerIndex> server) {
  if (server) {
    servers_[client] = *server;
  } else {
    servers_.erase(client);
  }
}

std::optional<PeerIndex> Shares::server_of(PeerIndex client) const {
  const auto found = servers_.find(client);
  return found == servers_.end() ? std::nullopt : std::optional(found->second);
}

bool Shares::are_fellows(PeerIndex a, PeerIndex b) const {
  const std::string& group = group_of(directory_, a);
  return a != b && !group.empty() && group == group_of(directory_, b);
}

std::vector<IpPrefix> Shares::allowed_ips(PeerIndex index) const {
  const model::Peer* const peer = directory_.get(index);
  if (peer == nullptr) return {};
  std::vector<IpPrefix> mine;
  const auto server = server_of(index);
  const bool is_elsewhere = server && claims_.contains(*server);
  if (!is_elsewhere) mine = peer->allowed_ips;
  if (const auto claim = claims_.find(index); claim != claims_.end()) {
    for (const auto& [other, others_claim] : claims_) {
      if (others_claim <= claim->second || !are_fellows(index, other)) continue;
      const auto& theirs = directory_.get(other)->allowed_ips;
      std::erase_if(mine, [&](const IpPrefix& prefix) { return std::ranges::find(theirs, prefix) != theirs.end(); });
    }
    for (const auto& [client, its_server] : servers_) {
      const model::Peer* const carried = its_server == index ? directory_.get(client) : nullptr;
      if (carried != nullptr) mine.insert(mine.end(), carried->allowed_ips.begin(), carried->allowed_ips.end());
    }
  }
  std::ranges::sort(mine);
  return mine;
}

std::vector<PeerIndex> Shares::concerned(PeerIndex peer) const {
  std::vector<PeerIndex> concerned;
  for (const auto& [other, claim] : claims_) {
    if (are_fellows(peer, other)) concerned.push_back(other);
  }
  if (const auto server = server_of(peer)) concerned.push_back(*server);
  if (!claims_.contains(peer)) return concerned;
  for (const auto& [client, server] : servers_) {
    if (server == peer) concerned.push_back(client);
  }
  return concerned;
}

}  // namespace anubis::netd

// ProductionPeers, the part about allowed IPs that go from one session to another (shares.h).
#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "anubisd/netd/production_peers.h"
#include "lib/base/steps.h"

namespace anubis::netd {
namespace {

using base::Status;
using model::IpPrefix;
using network::Route;
using wireguard::PeerAction;
using wireguard::PeerChange;

std::vector<Route> without(const std::vector<Route>& routes, const std::vector<Route>& others) {
  std::vector<Route> rest;
  std::ranges::copy_if(routes, std::back_inserter(rest),
                       [&](const Route& route) { return std::ranges::find(others, route) == others.end(); });
  return rest;
}

}  // namespace

Status ProductionPeers::carry(PeerIndex client, std::optional<PeerIndex> server) {
  auto concerned = shares_.concerned(client);  // the server before
  shares_.carry(client, server);
  if (server) concerned.push_back(*server);
  concerned.push_back(client);
  if (!interface_.is_known()) return {};
  return settle_shares(concerned);
}

std::vector<Carried> ProductionPeers::carried() const {
  std::vector<Carried> carried;
  for (const auto& [client, server] : shares_.carried()) carried.push_back({client, server});
  return carried;
}

std::vector<Route> ProductionPeers::shared_routes(PeerIndex index, const std::vector<PeerIndex>& sharing) const {
  std::vector<Route> shared;
  for (const PeerIndex other : sharing) {
    const auto found = sessions_.find(other);
    if (other == index || found == sessions_.end() || found->second.doomed) continue;
    shared.insert(shared.end(), found->second.routes.begin(), found->second.routes.end());
  }
  return shared;
}

Status ProductionPeers::drop_routes(PeerIndex index, const std::vector<PeerIndex>& sharing,
                                    std::vector<Route>& routes) {
  if (!routes.empty()) routes = without(routes, shared_routes(index, sharing));
  return remove_routes(routes);
}

// Those that win something come first: WireGuard takes it from the others in the same moment, so that there is none in
// which nobody has it.
std::vector<PeerChange> ProductionPeers::hand_over(const std::vector<PeerIndex>& concerned) {
  std::vector<PeerChange> changes;
  for (const bool winners : {true, false}) {
    for (const PeerIndex index : concerned) {
      const auto found = sessions_.find(index);
      if (found == sessions_.end() || found->second.doomed) continue;
      auto& wanted = found->second.wanted.allowed_ips;
      wanted = shares_.allowed_ips(index);
      const MirroredPeer* const standing = mirror_.find(found->second.key);
      if (standing == nullptr || holds_exactly(*standing, wanted)) continue;
      const bool only_wins = std::ranges::includes(wanted, standing->allowed_ips);
      if (winners && !only_wins) continue;
      std::vector<IpPrefix> given = wanted;
      if (only_wins) {
        given.clear();
        std::ranges::set_difference(wanted, standing->allowed_ips, std::back_inserter(given));
      }
      changes.push_back({.public_key = found->second.key,
                         .action = PeerAction::kUpdateOnly,
                         .allowed_ips = std::move(given),
                         .adds_allowed_ips = only_wins});
      MirroredPeer after = *standing;
      after.allowed_ips = wanted;
      mirror_.set(found->second.key, std::move(after));
    }
  }
  return changes;
}

Status ProductionPeers::settle_shares(const std::vector<PeerIndex>& concerned) {
  if (concerned.empty()) return {};
  if (mirror_is_stale_) {
    if (auto status = refresh(); !status) return status;
  }
  const auto changes = hand_over(concerned);
  Status first;
  const auto keep = [&first](Status status) {
    if (!status && first) first = std::move(status);
  };
  std::map<PeerIndex, std::vector<Route>> wanted;
  for (const PeerIndex index : concerned) {
    const auto found = sessions_.find(index);
    if (found == sessions_.end() || found->second.doomed || !found->second.is_routed) continue;
    wanted.emplace(index, routes_of(found->second.wanted.allowed_ips));
  }
  for (auto& [index, routes] : wanted) {
    Session& session = sessions_.at(index);
    auto stale = without(session.routes, routes);
    session.routes = without(session.routes, stale);
    // Others of them may need what this one no longer does, and have not noted it yet.
    for (const auto& [other, needed] : wanted) stale = without(stale, needed);
    keep(drop_routes(index, shares_.concerned(index), stale));
    session.routes.insert(session.routes.end(), stale.begin(), stale.end());  // to be tried again
  }
  if (auto status = apply(changes); !status) {
    mirror_is_stale_ = true;
    keep(std::move(status));
  }
  if (!changes.empty()) base::step("production.shares");
  for (auto& [index, routes] : wanted) {
    Session& session = sessions_.at(index);
    const auto missing = without(routes, session.routes);
    if (missing.empty()) continue;
    if (auto added = add_routes(missing, missing); added) {
      session.routes.insert(session.routes.end(), added->begin(), added->end());
    } else {
      keep(base::fail(added.error()));
    }
  }
  return first;
}

// What an earlier process left on the interface tells who had what.
void ProductionPeers::infer_shares() {
  for (const auto& [key, standing] : mirror_.peers()) {
    const auto index = directory_.find(crypto::ProductionPublicKey(key));
    const model::Peer* const peer = index ? directory_.get(*index) : nullptr;
    if (peer == nullptr || peer->group.empty()) continue;
    auto own = peer->allowed_ips;
    std::ranges::sort(own);
    const bool has_all = std::ranges::includes(standing.allowed_ips, own);
    shares_.enter(*index, has_all ? Shares::Claim::kTakes : Shares::Claim::kNone);
    std::vector<IpPrefix> beyond;
    std::ranges::set_difference(standing.allowed_ips, own, std::back_inserter(beyond));
    if (!beyond.empty() && peer->group == group_) infer_carried(*index, beyond);
  }
}

void ProductionPeers::infer_carried(PeerIndex server, const std::vector<IpPrefix>& beyond_its_own) {
  directory_.for_each([&](PeerIndex client, const model::Peer& peer) {
    if (peer.group == group_ || peer.allowed_ips.empty()) return;
    auto ranges = peer.allowed_ips;
    std::ranges::sort(ranges);
    if (std::ranges::includes(beyond_its_own, ranges)) shares_.carry(client, server);
  });
}

}  // namespace anubis::netd

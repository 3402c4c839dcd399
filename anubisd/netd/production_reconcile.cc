// ProductionPeers, the part about all peers: what an earlier process left, what has gone meanwhile, the end.
#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "anubisd/netd/production_peers.h"
#include "lib/base/log.h"
#include "lib/base/steps.h"

namespace anubis::netd {
namespace {

using base::fail;
using base::Result;
using base::Status;
using network::Route;
using wireguard::PeerAction;
using wireguard::PeerChange;

}  // namespace

Status ProductionPeers::reconcile(bool fresh) {
  if (auto status = refresh(); !status) return status;
  const auto present = present_routes();
  if (!present) return fail(present.error());
  if (fresh) {
    if (auto status = adopt(*present); !status) return status;
  } else {
    drop_vanished();
  }
  return settle_routes(*present);
}

Result<std::vector<Route>> ProductionPeers::present_routes() {
  auto routes = network_.routes({.protocol = network::kRouteProtocol, .table = {}});
  if (!routes) return fail(routes.error());
  std::erase_if(*routes, [&](const Route& route) {
    return route.kind != network::RouteKind::kUnicast || route.ifindex != interface_.ifindex();
  });
  return routes;
}

// Whether a peer that is not (or no longer) right was our session can be told by its routes: nobody else makes any with
// our protocol number. Without such evidence it is somebody else's and stays.
Status ProductionPeers::adopt(const std::vector<Route>& present) {
  sessions_.clear();
  std::set<model::IpPrefix> routed;
  for (const Route& route : present) routed.insert(route.prefix);
  std::vector<PeerChange> changes;
  for (const auto& [key, standing] : mirror_.peers()) {
    const auto index = directory_.find(crypto::ProductionPublicKey(key));
    const model::Peer* const peer = index ? directory_.get(*index) : nullptr;
    const bool has_our_routes =
        std::ranges::any_of(standing.allowed_ips, [&](const auto& prefix) { return routed.contains(prefix); });
    if (peer != nullptr && holds_exactly(standing, peer->allowed_ips)) {
      // Killed between the peer and its routes: nobody has been told that this session is up.
      const bool half_done = !has_our_routes && !standing.had_handshake && !peer->allowed_ips.empty();
      if (interface_.is_ours() && half_done) {
        base::log::info("netd.half-done", "{} was being brought up when we ended: taking it down", peer->name);
        changes.push_back({.public_key = key, .action = PeerAction::kRemove});
        continue;
      }
      sessions_.emplace(*index, Session{peer->public_key, routes_of(*peer), false});
      if (standing.preshared_key) preshared_keys_.insert_or_assign(*index, standing.preshared_key);
      if (standing.persistent_keepalive != peer->persistent_keepalive) {
        changes.push_back(
            {.public_key = key, .action = PeerAction::kUpdateOnly, .persistent_keepalive = peer->persistent_keepalive});
      }
    } else if (has_our_routes) {
      base::log::info("netd.leftover", "the configuration no longer has {} as it stands on {}: taking it down",
                      peer != nullptr ? peer->name : "the peer " + key.brief(), interface_.name());
      changes.push_back({.public_key = key, .action = PeerAction::kRemove});
    }
  }
  // Their routes follow in settle_routes(), but a route without its peer leaks nothing: WireGuard drops the packets.
  if (auto status = apply(changes); !status) return status;
  base::step("production.adopted");
  return changes.empty() ? Status{} : refresh();
}

void ProductionPeers::drop_vanished() {
  std::erase_if(sessions_, [&](const auto& entry) {
    if (mirror_.find(entry.second.key) != nullptr) return false;
    const model::Peer* const peer = directory_.get(entry.first);
    base::log::warning("netd.peer-vanished", "somebody removed {} from {}",
                       peer != nullptr ? peer->name : entry.second.key.brief(), interface_.name());
    return true;
  });
}

Status ProductionPeers::settle_routes(const std::vector<Route>& present) {
  const std::set<Route> standing(present.begin(), present.end());
  std::set<Route> wanted;
  for (const auto& [index, session] : sessions_) wanted.insert(session.routes.begin(), session.routes.end());

  std::vector<Route> orphans;
  std::ranges::copy_if(present, std::back_inserter(orphans),
                       [&](const Route& route) { return !wanted.contains(route); });
  if (!orphans.empty()) base::log::info("netd.orphan-routes", "removing {} of {}", orphans.size(), interface_.name());
  if (auto status = remove_routes(orphans); !status) return status;
  base::step("production.orphans");

  std::vector<Route> missing;
  std::ranges::set_difference(wanted, standing, std::back_inserter(missing));
  if (missing.empty()) return {};
  const auto added = add_routes(missing, missing);  // what can be healed stays, whatever becomes of the rest
  if (!added) return fail(added.error());
  base::step("production.restored");
  if (!added->empty()) base::log::info("netd.routes-restored", "put {} of {} back", added->size(), interface_.name());
  return {};
}

Status ProductionPeers::flush() {
  if (!interface_.is_known()) return {};
  Status first;
  if (auto routes = present_routes(); !routes) {
    first = fail(routes.error());
  } else {
    first = remove_routes(*routes);
  }
  base::step("production.flushed");
  // Only now is the mirror of use for all peers, foreign ones included.
  if (interface_.is_ours()) (void)refresh();
  std::vector<PeerChange> removals;
  if (interface_.is_ours()) {
    for (const auto& [key, standing] : mirror_.peers())
      removals.push_back({.public_key = key, .action = PeerAction::kRemove});
  } else {
    for (const auto& [index, session] : sessions_)
      removals.push_back({.public_key = session.key, .action = PeerAction::kRemove});
  }
  if (auto status = apply(removals); !status && status.error().code != base::ErrorCode::kNotFound && first)
    first = status;
  sessions_.clear();
  preshared_keys_.clear();
  mirror_.clear();
  mirror_is_stale_ = true;
  return first;
}

}  // namespace anubis::netd

// ProductionPeers, the part about all peers: what an earlier process left, what has gone meanwhile, the end.
#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "anubisd/netd/production_peers.h"
#include "anubisd/netd/pulse.h"
#include "lib/base/log.h"
#include "lib/base/steps.h"
#include "lib/crypto/same_key.h"

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
    carry_over();
    if (auto status = adopt(*present); !status) return status;
  }
  auto healed = heal(fresh);
  // Whatever became of the peers.
  if (auto status = settle_routes(*present, fresh); !status) {
    if (!fresh || status.error().code != base::ErrorCode::kExists) return status;
    if (auto rest = give_up_obstructed(); !rest) return rest;
    // It may have been something else.
    const auto left = present_routes();
    if (!left) return fail(left.error());
    if (auto rest = settle_routes(*left, fresh); !rest) return rest;
  }
  if (interface_.is_ours()) note_strangers();
  return healed;
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
  infer_shares();
  std::set<model::IpPrefix> routed;
  for (const Route& route : present) routed.insert(route.prefix);
  std::vector<PeerChange> changes;
  for (const auto& [key, standing] : mirror_.peers()) {
    const auto index = directory_.find(crypto::ProductionPublicKey(key));
    if (index && sessions_.contains(*index)) continue;
    const model::Peer* const peer = index ? directory_.get(*index) : nullptr;
    const bool has_our_routes =
        std::ranges::any_of(standing.allowed_ips, [&](const auto& prefix) { return routed.contains(prefix); });
    if (peer != nullptr && holds_exactly(standing, shares_.allowed_ips(*index))) {
      // Killed between the peer and its routes: nobody has been told that this session is up.
      const bool half_done = !has_our_routes && !standing.had_handshake && !peer->allowed_ips.empty();
      if (interface_.is_ours() && half_done) {
        base::log::info({"netd.half-done", peer->name}, "{} was being brought up when we ended: taking it down",
                        peer->name);
        changes.push_back({.public_key = key, .action = PeerAction::kRemove});
        continue;
      }
      Session session{
          .key = peer->public_key, .wanted = standing, .routes = routes_of(standing.allowed_ips), .is_routed = true};
      session.wanted.persistent_keepalive = peer->persistent_keepalive;
      sessions_.emplace(*index, std::move(session));
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

// Of the sessions that an earlier process left, those in whose routes' place a foreign one stands: else nobody could
// start any more. Whoever wants such a peer up hears why that fails.
Status ProductionPeers::give_up_obstructed() {
  std::vector<PeerIndex> obstructed;
  for (const auto& [index, session] : sessions_) {
    if (session.doomed) continue;
    const auto standing = add_routes(session.routes, session.routes);
    if (standing) continue;
    if (standing.error().code != base::ErrorCode::kExists) return fail(standing.error());
    base::log::error("netd.not-adopted", "a session that was up is taken down: {}", standing.error().message);
    obstructed.push_back(index);
  }
  for (const PeerIndex index : obstructed) {
    if (auto status = remove(index); !status) return status;
  }
  return {};
}

// The device is another one: so are its routes.
void ProductionPeers::carry_over() {
  for (auto& [index, session] : sessions_) {
    for (Route& route : session.routes) route.ifindex = interface_.ifindex();
  }
}

Status ProductionPeers::heal(bool fresh) {
  Status first;
  std::vector<PeerChange> changes;
  std::vector<PeerIndex> owners;  // of the changes
  std::vector<Drift> drift;
  for (auto& [index, session] : sessions_) {
    if (auto status = check_creation(session); !status) {
      if (first) first = status;
      continue;
    }
    Cure found = cure(session);
    owners.insert(owners.end(), found.changes.size(), index);
    std::ranges::move(found.changes, std::back_inserter(changes));
    for (const DriftKind kind : found.drift)
      drift.push_back({.kind = kind, .interface = Interface::kProduction, .peer = index});
  }
  const auto failures = changes.empty() ? wireguard::PeerFailures{} : interface_.device().apply(changes);
  if (!changes.empty()) base::step("production.peer");
  std::set<PeerIndex> failed;
  for (const auto& failure : failures) failed.insert(owners[failure.index]);
  if (!failures.empty() && first) first = fail(failures.front().error);
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second.doomed && !failed.contains(entry.first); });
  if (!fresh) {
    for (const Drift& each : drift) {
      if (!failed.contains(*each.peer)) drift_.tell(each);
    }
  }
  if (!changes.empty()) {
    if (auto status = refresh(); !status && first) first = status;
  }
  return first;
}

// On an interface that is not ours, a peer that is made again takes nothing from those that its owner put there.
Status ProductionPeers::check_creation(const Session& session) const {
  if (session.doomed || interface_.is_ours() || mirror_.find(session.key) != nullptr) return {};
  const auto index = directory_.find(session.key);
  return index ? check_conflicts(*index, session.wanted.allowed_ips, nullptr) : Status{};
}

ProductionPeers::Cure ProductionPeers::cure(Session& session) const {
  Cure cure;
  MirroredPeer& wanted = session.wanted;
  const MirroredPeer* const standing = mirror_.find(session.key);
  if (session.doomed) {
    if (standing != nullptr) cure.changes.push_back({.public_key = session.key, .action = PeerAction::kRemove});
    return cure;
  }
  if (standing == nullptr) {
    cure.drift.push_back(DriftKind::kPeerRemoved);
    session.borrowed_keepalive = false;
    cure.changes.push_back({.public_key = session.key,
                            .endpoint = wanted.endpoint,
                            .allowed_ips = wanted.allowed_ips,
                            .persistent_keepalive = wanted.persistent_keepalive,
                            .preshared_key = wanted.preshared_key});
    if (wanted.endpoint && wanted.persistent_keepalive == 0) append_pulse(session.key, 0, cure.changes);
    return cure;
  }

  // Where it sends to is WireGuard's business.
  if (standing->endpoint) wanted.endpoint = standing->endpoint;
  bool initiate = interface_.was_cut();
  PeerChange change{.public_key = session.key, .action = PeerAction::kUpdateOnly};
  if (!holds_exactly(*standing, wanted.allowed_ips)) {
    change.allowed_ips = wanted.allowed_ips;
    cure.drift.push_back(DriftKind::kAllowedIps);
  }
  if (!crypto::same_key(standing->preshared_key, wanted.preshared_key)) {
    change.preshared_key = wanted.preshared_key ? wanted.preshared_key : crypto::no_preshared_key();
    cure.drift.push_back(DriftKind::kPresharedKey);
    initiate = true;
  }
  // A borrowed one has done its work, or whoever was to end it has not.
  const bool is_borrowed = session.borrowed_keepalive;
  if (is_borrowed && standing->had_handshake) session.borrowed_keepalive = false;
  if (!session.borrowed_keepalive && standing->persistent_keepalive != wanted.persistent_keepalive) {
    change.persistent_keepalive = wanted.persistent_keepalive;
    if (!is_borrowed) cure.drift.push_back(DriftKind::kKeepalive);
  }
  if (change.allowed_ips || change.preshared_key || change.persistent_keepalive)
    cure.changes.push_back(std::move(change));
  if (initiate && standing->endpoint) append_pulse(session.key, wanted.persistent_keepalive, cure.changes);
  return cure;
}

Status ProductionPeers::settle_routes(const std::vector<Route>& present, bool fresh) {
  const std::set<Route> standing(present.begin(), present.end());
  std::set<Route> wanted;
  std::set<Route> needed;  // no new route leads to a peer that is not there
  for (const auto& [index, session] : sessions_) {
    if (session.doomed) continue;
    wanted.insert(session.routes.begin(), session.routes.end());
    if (mirror_.find(session.key) != nullptr) needed.insert(session.routes.begin(), session.routes.end());
  }

  std::vector<Route> orphans;
  std::ranges::copy_if(present, std::back_inserter(orphans),
                       [&](const Route& route) { return !wanted.contains(route); });
  if (!orphans.empty()) base::log::info("netd.orphan-routes", "removing {} of {}", orphans.size(), interface_.name());
  if (auto status = remove_routes(orphans); !status) return status;
  base::step("production.orphans");

  std::vector<Route> missing;
  std::ranges::set_difference(needed, standing, std::back_inserter(missing));
  if (missing.empty()) return {};
  return restore_routes(missing, !fresh && !interface_.lost_routes());
}

Status ProductionPeers::restore_routes(const std::vector<Route>& missing, bool is_drift) {
  const auto added = add_routes(missing, missing);  // what can be healed stays, whatever becomes of the rest
  Status status = added ? Status{} : fail(added.error());
  base::step("production.restored");
  if (!is_drift) return status;
  // A foreign route may stand in for one of ours: that one has not come back.
  const auto present = present_routes();
  if (!present) return fail(present.error());
  for (const auto& [index, session] : sessions_) {
    const bool is_back = std::ranges::any_of(session.routes, [&](const Route& route) {
      return std::ranges::find(missing, route) != missing.end() && std::ranges::find(*present, route) != present->end();
    });
    if (is_back) drift_.tell({.kind = DriftKind::kRoutes, .interface = Interface::kProduction, .peer = index});
  }
  return status;
}

// Somebody put them there by hand, and may have a reason. No route leads to them, and they get nothing that a session
// has.
void ProductionPeers::note_strangers() {
  std::unordered_set<crypto::PublicKey, crypto::PublicKeyHash> present;
  std::unordered_set<crypto::PublicKey, crypto::PublicKeyHash> ours;
  for (const auto& [index, session] : sessions_) ours.insert(session.key);
  for (const auto& [key, standing] : mirror_.peers()) {
    if (ours.contains(key)) continue;
    present.insert(key);
    if (strangers_.contains(key)) continue;
    const auto index = directory_.find(crypto::ProductionPublicKey(key));
    base::log::warning("netd.stranger", "somebody put {} on {}: it is left alone",
                       index ? directory_.get(*index)->name : "a peer with the key " + key.brief(), interface_.name());
  }
  strangers_ = std::move(present);
}

Status ProductionPeers::flush() {
  if (!interface_.has_device()) return {};
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
  mirror_is_stale_ = true;
  return first;
}

void ProductionPeers::forget() {
  sessions_.clear();
  shares_.clear();
  strangers_.clear();
  mirror_.clear();
  mirror_is_stale_ = true;
}

}  // namespace anubis::netd

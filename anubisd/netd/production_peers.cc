// ProductionPeers, the part about one peer: installing and removing it.
#include "anubisd/netd/production_peers.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/core.h>
#include <netinet/in.h>

#include "anubisd/netd/pulse.h"
#include "lib/base/log.h"
#include "lib/base/steps.h"
#include "lib/crypto/same_key.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;
using network::Route;
using wireguard::PeerAction;
using wireguard::PeerChange;

// A dump of so few costs up to 100 µs (6 µs a peer, measured with wireguard-go on a busy machine) and shows what others
// did meanwhile. With more peers, that is seen at the next bring_up().
constexpr std::size_t kCheapDump = 16;

// Switched on, it makes WireGuard send at once; 25 s is what its documentation advises, should it stay on.
constexpr std::uint16_t kBorrowedKeepalive = 25;

bool contains(const std::vector<Route>& routes, const Route& route) {
  return std::ranges::find(routes, route) != routes.end();
}

using SharedKey = std::shared_ptr<const crypto::WireGuardPresharedKey>;

SharedKey none_if_zero(const SharedKey& key) { return key->equals(*crypto::no_preshared_key()) ? nullptr : key; }

}  // namespace

Status ProductionPeers::refresh() {
  MirrorFiller filler(mirror_);
  const auto status = interface_.device().visit(filler);
  mirror_is_stale_ = !status.has_value();
  return status;
}

// With a request: what it may take from others. Without one, nothing.
Status ProductionPeers::check_conflicts(PeerIndex index, const std::vector<model::IpPrefix>& allowed_ips,
                                        const InstallRequest* request) const {
  const model::Peer& peer = *directory_.get(index);
  for (const auto& prefix : allowed_ips) {
    const auto* const holder = mirror_.holder(prefix);
    if (holder == nullptr || *holder == peer.public_key) continue;
    const auto other = directory_.find(crypto::ProductionPublicKey(*holder));
    if (!other) {
      return fail(ErrorCode::kConflict,
                  fmt::format("{} belongs to a peer on {} that is not in the configuration (key {}): remove that peer "
                              "or take the range out of {}'s allowed_ips",
                              prefix.to_string(), interface_.name(), holder->brief(), peer.name));
    }
    const bool is_carried = shares_.server_of(*other) == index;
    const bool is_fellow = shares_.are_fellows(index, *other);
    const bool was_with_it = !group_.empty() && directory_.get(*other)->group == group_ && peer.group != group_;
    if (request != nullptr && (is_carried || was_with_it || (is_fellow && request->take_over))) continue;
    const auto& name = directory_.get(*other)->name;
    return fail(ErrorCode::kConflict,
                fmt::format("{} is in use by {}: {}", prefix.to_string(), name,
                            is_fellow ? fmt::format("anubis switch {}", peer.name)
                                      : fmt::format("take {} down first (anubis down {})", name, name)));
  }
  return {};
}

ProductionPeers::Plan ProductionPeers::plan(const InstallRequest& request, const model::Peer& peer,
                                            const std::vector<model::IpPrefix>& allowed_ips,
                                            const std::optional<MirroredPeer>& before) const {
  const auto known = sessions_.find(request.peer);
  const bool initiate = request.initiate_handshake;
  Plan plan;
  plan.after.allowed_ips = allowed_ips;
  plan.after.endpoint = request.endpoint || !before ? request.endpoint : before->endpoint;
  // It may hold keys of the last session yet, and would speak by them for 15 s before it tries new ones: call it.
  const bool is_called = peer.is_plain && !peer.endpoint && !before;
  if (const auto last = last_endpoints_.find(request.peer);
      is_called && !plan.after.endpoint && last != last_endpoints_.end()) {
    plan.after.endpoint = last->second;
  }
  // No session brings a plain peer one: it has the configured one, always.
  auto preshared_key = request.preshared_key;
  if (peer.is_plain)
    preshared_key = peer.production_preshared_key ? peer.production_preshared_key : crypto::no_preshared_key();
  if (preshared_key) {
    plan.after.preshared_key = none_if_zero(preshared_key);
  } else if (before) {
    plan.after.preshared_key = before->preshared_key;
  } else if (known != sessions_.end()) {
    plan.after.preshared_key = known->second.wanted.preshared_key;
  }
  plan.borrowed_keepalive = initiate && peer.persistent_keepalive == 0;
  plan.after.persistent_keepalive = plan.borrowed_keepalive ? kBorrowedKeepalive : peer.persistent_keepalive;

  PeerChange change{.public_key = peer.public_key};
  if (!before || request.recreate) {
    if (before) plan.changes.push_back({.public_key = peer.public_key, .action = PeerAction::kRemove});
    change.endpoint = plan.after.endpoint;
    change.allowed_ips = allowed_ips;
    change.persistent_keepalive = plan.after.persistent_keepalive;
    change.preshared_key = plan.after.preshared_key;
    plan.changes.push_back(std::move(change));
    if (is_called && plan.after.endpoint) append_pulse(peer.public_key, plan.after.persistent_keepalive, plan.changes);
    return plan;
  }

  // A peer that is right already is not written at all: its session goes on undisturbed.
  plan.after.had_handshake = before->had_handshake;
  change.action = PeerAction::kUpdateOnly;
  if (plan.after.endpoint != before->endpoint) change.endpoint = plan.after.endpoint;
  if (!holds_exactly(*before, allowed_ips)) change.allowed_ips = allowed_ips;
  if (initiate) {
    if (before->persistent_keepalive != 0) {
      plan.changes.push_back(
          {.public_key = peer.public_key, .action = PeerAction::kUpdateOnly, .persistent_keepalive = 0});
    }
    change.persistent_keepalive = plan.after.persistent_keepalive;
  } else if (known != sessions_.end() && known->second.borrowed_keepalive) {
    plan.borrowed_keepalive = true;  // until handshake_done()
    plan.after.persistent_keepalive = before->persistent_keepalive;
  } else if (before->persistent_keepalive != peer.persistent_keepalive) {
    change.persistent_keepalive = peer.persistent_keepalive;
  }
  if (preshared_key && !crypto::same_key(plan.after.preshared_key, before->preshared_key)) {
    change.preshared_key = preshared_key;
  }
  if (change.endpoint || change.allowed_ips || change.persistent_keepalive || change.preshared_key)
    plan.changes.push_back(std::move(change));
  return plan;
}

Result<Presence> ProductionPeers::install(const InstallRequest& request) {
  const model::Peer* const peer = directory_.get(request.peer);
  if (peer == nullptr) return fail(ErrorCode::kNotFound, "the configuration does not name this peer");
  if (!interface_.is_known()) return fail(ErrorCode::kNotFound, interface_.name() + " is not there");
  if (mirror_is_stale_ || mirror_.size() <= kCheapDump) {
    if (auto status = refresh(); !status) return fail(status.error());
  }
  auto concerned = shares_.concerned(request.peer);  // the server that it was with among them
  auto claim = Shares::Claim::kNone;
  if (request.with_routes) claim = request.take_over ? Shares::Claim::kTakes : Shares::Claim::kKeeps;
  const auto before = shares_.enter(request.peer, claim);
  auto presence = install_entered(request, *peer);
  if (!presence) {
    shares_.restore(request.peer, before);
    mirror_is_stale_ = mirror_is_stale_ || !concerned.empty();  // the device may have taken from others what it undid
  }
  if (concerned.empty()) return presence;
  // What others have lost by this, or are to have again.
  concerned.push_back(request.peer);
  if (auto status = settle_shares(concerned); !status) base::log::error("netd.shares", "{}", status.error().message);
  return presence;
}

Result<Presence> ProductionPeers::install_entered(const InstallRequest& request, const model::Peer& peer) {
  const auto allowed_ips = shares_.allowed_ips(request.peer);
  if (auto status = check_conflicts(request.peer, allowed_ips, &request); !status) return fail(status.error());

  const MirroredPeer* const found = mirror_.find(peer.public_key);
  const auto before = found != nullptr ? std::optional(*found) : std::nullopt;
  Plan planned = plan(request, peer, allowed_ips, before);
  const auto endpoint = planned.after.endpoint;
  MirroredPeer wanted = planned.after;
  wanted.persistent_keepalive = peer.persistent_keepalive;
  if (auto status = apply(planned.changes); !status) {
    restore(request.peer, peer.public_key, before);
    return fail(status.error());
  }
  base::step("production.peer");
  mirror_.set(peer.public_key, std::move(planned.after));

  const auto known = sessions_.find(request.peer);
  // Who looks for what has gone would find it again.
  if (known != sessions_.end() && !known->second.doomed && !before)
    drift_.tell({.kind = DriftKind::kPeerRemoved, .interface = Interface::kProduction, .peer = request.peer});
  auto routes = known != sessions_.end() ? known->second.routes : std::vector<Route>{};
  const bool is_routed = request.with_routes || (known != sessions_.end() && known->second.is_routed);
  if (request.with_routes) {
    const auto earlier = routes;
    auto stay = shared_routes(request.peer, shares_.concerned(request.peer));
    stay.insert(stay.end(), earlier.begin(), earlier.end());
    auto added = add_routes(routes_of(allowed_ips), stay);
    Status status;
    if (!added) {
      status = fail(added.error());
    } else if (added->empty() && !allowed_ips.empty()) {
      status = fail(ErrorCode::kUnsupported,
                    fmt::format("all allowed IPs of {} are IPv6, and this host has no IPv6", peer.name));
    } else if (status = check_endpoint(peer, endpoint); !status) {
      std::erase_if(*added, [&](const Route& route) { return contains(stay, route); });
      if (auto undone = remove_routes(*added); !undone)
        base::log::error("netd.rollback-failed", "{}", undone.error().message);
    }
    if (!status) {
      base::step("production.undone");
      restore(request.peer, peer.public_key, before);
      return fail(status.error());
    }
    base::step("production.routes");
    routes = std::move(*added);
    // Of allowed IPs that the configuration named once.
    auto stale = earlier;
    std::erase_if(stale, [&](const Route& route) { return contains(routes, route); });
    if (auto removed = drop_routes(request.peer, shares_.concerned(request.peer), stale); !removed) {
      base::log::warning("netd.stale-route", "{}", removed.error().message);
      std::ranges::move(stale, std::back_inserter(routes));
    }
  }
  sessions_.insert_or_assign(request.peer, Session{.key = peer.public_key,
                                                   .wanted = std::move(wanted),
                                                   .routes = std::move(routes),
                                                   .is_routed = is_routed,
                                                   .borrowed_keepalive = planned.borrowed_keepalive});
  return before ? Presence::kFound : Presence::kCreated;
}

Status ProductionPeers::apply(std::span<const PeerChange> changes) {
  if (changes.empty()) return {};
  const auto failures = interface_.device().apply(changes);
  if (failures.empty()) return {};
  return fail(failures.front().error);
}

// After a failure any part may have been applied.
void ProductionPeers::restore(PeerIndex index, const crypto::ProductionPublicKey& key,
                              const std::optional<MirroredPeer>& before) {
  PeerChange change{.public_key = key, .action = PeerAction::kRemove};
  if (before) {
    change.action = PeerAction::kSet;
    change.endpoint = before->endpoint;
    change.allowed_ips = before->allowed_ips;
    change.persistent_keepalive = before->persistent_keepalive;
    change.preshared_key = before->preshared_key ? before->preshared_key : crypto::no_preshared_key();
  }
  if (const auto status = apply(std::span(&change, 1)); !status) {
    base::log::error("netd.rollback-failed", "{}", status.error().message);
    mirror_is_stale_ = true;
    // It may stand there, and nobody wants it.
    if (!before) sessions_.try_emplace(index, Session{.key = key, .wanted = {}, .routes = {}, .doomed = true});
    return;
  }
  if (before) {
    mirror_.set(key, *before);
  } else {
    mirror_.erase(key);
  }
}

std::vector<Route> ProductionPeers::routes_of(const std::vector<model::IpPrefix>& allowed_ips) const {
  std::vector<Route> routes;
  routes.reserve(allowed_ips.size());
  for (const auto& prefix : allowed_ips) {
    Route route;
    route.prefix = prefix;
    route.table = settings_.table;
    route.ifindex = interface_.ifindex();
    routes.push_back(std::move(route));
  }
  return routes;
}

Result<std::vector<Route>> ProductionPeers::add_routes(const std::vector<Route>& wanted,
                                                       const std::vector<Route>& before) {
  const auto failures = network_.add_routes(wanted);
  auto standing = wanted;
  const base::Error* error = nullptr;
  for (const auto& failure : failures) {
    std::erase(standing, wanted[failure.index]);
    // Where the host has no IPv6, nothing can leak past the tunnel either: the IPv4 part alone is a session.
    const bool no_ipv6 =
        failure.error.code == ErrorCode::kUnsupported && wanted[failure.index].prefix.family() == model::Family::kV6;
    if (no_ipv6 && !std::exchange(told_no_ipv6_, true))
      base::log::warning("netd.no-ipv6", "sessions go without IPv6: {}", failure.error.message);
    if (!no_ipv6 && error == nullptr) error = &failure.error;
  }
  if (error == nullptr) return standing;
  std::erase_if(standing, [&](const Route& route) { return contains(before, route); });
  if (auto undone = remove_routes(standing); !undone)
    base::log::error("netd.rollback-failed", "{}", undone.error().message);
  return fail(*error);
}

Status ProductionPeers::remove_routes(std::vector<Route>& routes) {
  if (routes.empty()) return {};
  const auto failures = network_.remove_routes(routes);
  std::vector<Route> left;
  left.reserve(failures.size());
  for (const auto& failure : failures) left.push_back(routes[failure.index]);
  routes = std::move(left);
  return network::all_in_place(failures);
}

// With a table of its own, the rules keep bearer packets out of the tunnel. In the main table the routes just added may
// have caught them (F38).
Status ProductionPeers::check_endpoint(const model::Peer& peer, const std::optional<model::Endpoint>& endpoint) const {
  if (settings_.table != network::kMainTable || !endpoint) return {};
  const bool is_marked = interface_.is_ours() && settings_.fwmark != 0;
  const auto route = network_.route_to({.destination = endpoint->address,
                                        .ip_protocol = IPPROTO_UDP,
                                        .source_port = settings_.listen_port,
                                        .fwmark = is_marked ? std::optional(settings_.fwmark) : std::nullopt});
  if (!route || route->ifindex != interface_.ifindex()) return {};
  return fail(ErrorCode::kConflict,
              fmt::format("{}'s endpoint {} would be reached through the tunnel itself ({}): give production.table a "
                          "number of its own, or take the endpoint out of the allowed IPs",
                          peer.name, endpoint->to_string(), interface_.name()));
}

// As fresh as it can be had for little.
void ProductionPeers::note_last_endpoint(PeerIndex index, const Session& session) {
  if (interface_.is_known() && mirror_.size() <= kCheapDump) (void)refresh();
  const MirroredPeer* const standing = mirror_.find(session.key);
  const auto endpoint = standing != nullptr && standing->endpoint ? standing->endpoint : session.wanted.endpoint;
  if (endpoint) last_endpoints_.insert_or_assign(index, *endpoint);
}

Status ProductionPeers::remove(PeerIndex index) {
  const auto found = sessions_.find(index);
  if (found == sessions_.end()) return {};
  Session& session = found->second;
  session.doomed = true;
  const model::Peer* const peer = directory_.get(index);
  if (peer != nullptr && peer->is_plain && !peer->endpoint) note_last_endpoint(index, session);
  // What others are to have of it now, they get before it goes.
  const auto concerned = shares_.concerned(index);
  shares_.leave(index);
  if (auto status = settle_shares(concerned); !status) base::log::error("netd.shares", "{}", status.error().message);
  // Should we be killed in between, its routes tell the next process that a peer which the configuration no longer
  // names was ours. They lead nowhere without it.
  const bool routes_last = peer == nullptr;
  Status status;
  if (!routes_last) status = drop_routes(index, concerned, session.routes);
  base::step("production.unrouted");
  if (interface_.is_known()) {
    const PeerChange change{.public_key = session.key, .action = PeerAction::kRemove};
    auto removed = apply(std::span(&change, 1));
    // Gone with its device is gone, too.
    if (!removed && removed.error().code != ErrorCode::kNotFound) {
      mirror_is_stale_ = true;
      return removed;
    }
    mirror_.erase(session.key);
  }
  base::step("production.removed");
  if (routes_last) status = drop_routes(index, concerned, session.routes);
  if (status) sessions_.erase(found);
  return status;
}

Status ProductionPeers::handshake_done(PeerIndex index) {
  const auto found = sessions_.find(index);
  if (found == sessions_.end() || !found->second.borrowed_keepalive) return {};
  const PeerChange change{
      .public_key = found->second.key, .action = PeerAction::kUpdateOnly, .persistent_keepalive = 0};
  if (auto status = apply(std::span(&change, 1)); !status) return status;
  found->second.borrowed_keepalive = false;
  if (const auto* const peer = mirror_.find(found->second.key)) {
    auto changed = *peer;
    changed.persistent_keepalive = 0;
    mirror_.set(found->second.key, std::move(changed));
  }
  return {};
}

std::vector<PeerIndex> ProductionPeers::installed() const {
  std::vector<PeerIndex> installed;
  for (const auto& [index, session] : sessions_) {
    if (session.doomed) continue;
    const model::Peer* const peer = directory_.get(index);
    const MirroredPeer* const standing = mirror_.find(session.key);
    if (peer != nullptr && standing != nullptr && holds_exactly(*standing, shares_.allowed_ips(index)))
      installed.push_back(index);
  }
  return installed;
}

std::vector<model::IpPrefix> ProductionPeers::sources() const {
  std::vector<model::IpPrefix> sources;
  for (const auto& [index, session] : sessions_) {
    if (session.doomed) continue;
    sources.insert(sources.end(), session.wanted.allowed_ips.begin(), session.wanted.allowed_ips.end());
  }
  return sources;
}

void ProductionPeers::note_endpoint(PeerIndex index, const std::optional<model::Endpoint>& endpoint) {
  const auto found = sessions_.find(index);
  if (endpoint && found != sessions_.end()) found->second.wanted.endpoint = endpoint;
}

}  // namespace anubis::netd

#include "anubisd/netd/side_peers.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "anubisd/netd/pulse.h"
#include "lib/base/log.h"
#include "lib/base/steps.h"
#include "lib/crypto/same_key.h"

namespace anubis::netd {
namespace {

using base::fail;
using base::Result;
using base::Status;
using model::IpPrefix;
using model::Peer;
using network::Route;
using wireguard::PeerAction;
using wireguard::PeerChange;
using wireguard::PeerState;

// Holds the way through NATs open, so that either end can ask the other at any time.
constexpr std::uint16_t kKeepalive = 25;

// A million changes at once would take 200 MB.
constexpr std::size_t kChunk = 1024;

// 4 MB.
constexpr std::size_t kMaxRemembered = 65'536;

IpPrefix address_prefix(const Peer& peer) { return {peer.side_address, peer.side_address.bits()}; }

std::optional<model::Endpoint> literal_endpoint(const Peer& peer) {
  if (!peer.side_endpoint) return std::nullopt;
  const auto address = peer.side_endpoint->literal();
  if (!address || !peer.side_endpoint->port) return std::nullopt;
  return model::Endpoint{*address, *peer.side_endpoint->port, 0};
}

std::uint16_t keepalive_of(const Peer& peer) { return peer.side_endpoint ? kKeepalive : 0; }

// A peer whose endpoint is a name gets its keepalive with the endpoint, once that is resolved: WireGuard would send
// into the void now, and then not again for 5 s.
bool keepalive_matches(const Peer& peer, const PeerState& state) {
  return state.persistent_keepalive == keepalive_of(peer) ||
         (peer.side_endpoint && !literal_endpoint(peer) && !state.endpoint);
}

std::shared_ptr<const crypto::WireGuardPresharedKey> preshared_key_of(const Peer& peer) {
  return peer.side_preshared_key ? peer.side_preshared_key : crypto::no_preshared_key();
}

}  // namespace

// What stands on the device.
struct SidePeers::Survey {
  struct Flaws {
    bool allowed_ips = false;
    bool keepalive = false;
    bool preshared_key = false;
  };

  std::unordered_set<PeerIndex> right;  // authorised, and need not be touched
  std::unordered_map<PeerIndex, Flaws> wrong;
  std::unordered_set<crypto::PublicKey, crypto::PublicKeyHash> strangers;  // not authorised
};

class SidePeers::Surveyor final : public wireguard::DumpVisitor {
 public:
  Surveyor(SidePeers& side, Survey& survey) : side_(side), survey_(survey) {}

  void begin(const wireguard::DeviceInfo& /*device*/) override { survey_ = {}; }
  void peer(PeerState&& state) override {
    const auto index = side_.index_of(state);
    if (!index) {
      survey_.strangers.insert(state.public_key);
      return;
    }
    const Peer& peer = *side_.directory_.get(*index);
    if (state.endpoint) side_.remember(*index, *state.endpoint);
    const Survey::Flaws flaws{.keepalive = !keepalive_matches(peer, state),
                              .preshared_key = !crypto::same_key(peer.side_preshared_key, state.preshared_key)};
    if (flaws.keepalive || flaws.preshared_key) {
      survey_.wrong.emplace(*index, flaws);
    } else {
      survey_.right.insert(*index);
    }
  }

 private:
  SidePeers& side_;
  Survey& survey_;
};

std::optional<PeerIndex> SidePeers::index_of(const PeerState& state) const {
  if (state.allowed_ips.size() != 1) return std::nullopt;
  const IpPrefix& only = state.allowed_ips.front();
  if (only.length() != only.address().bits()) return std::nullopt;
  const auto index = directory_.find_by_side_address(only.address());
  if (!index || directory_.get(*index)->side_public_key != state.public_key) return std::nullopt;
  return index;
}

std::vector<IpPrefix> SidePeers::ranges() const {
  std::vector<IpPrefix> ranges;
  if (settings_.prefix.contains(settings_.address)) ranges.push_back(settings_.prefix);
  directory_.for_each([&](PeerIndex, const Peer& peer) {
    if (!settings_.prefix.contains(peer.side_address)) ranges.push_back(address_prefix(peer));
  });
  return ranges;
}

Status SidePeers::reconcile(bool fresh) { return reconcile_all({}, is_settled_ && !fresh); }

Status SidePeers::take_over(const model::DirectoryChanges& changes) {
  for (const auto& [index, peer] : changes.removed) endpoints_.erase(index);
  return reconcile_all(changes.changed, false);
}

Status SidePeers::reconcile_all(const std::vector<PeerIndex>& changed, bool is_drift) {
  is_drift_ = is_drift;
  is_settled_ = false;
  if (auto status = reconcile_peers(changed); !status) return status;
  if (auto status = reconcile_routes(); !status) return status;
  is_settled_ = true;
  for (const Drift& drift : std::exchange(found_, {})) drift_.tell(drift);
  return {};
}

void SidePeers::found(DriftKind kind, std::optional<PeerIndex> peer) {
  if (is_drift_) found_.push_back({.kind = kind, .interface = Interface::kSide, .peer = peer});
}

void SidePeers::remember(PeerIndex index, const model::Endpoint& endpoint) {
  if (endpoints_.size() < kMaxRemembered || endpoints_.contains(index)) endpoints_.insert_or_assign(index, endpoint);
}

// Whoever has other allowed IPs than its side address is not known by it.
void SidePeers::find_among_strangers(Survey& survey) const {
  if (survey.strangers.empty()) return;
  directory_.for_each([&](PeerIndex index, const Peer& peer) {
    if (survey.strangers.erase(peer.side_public_key) != 0)
      survey.wrong.insert_or_assign(index, Survey::Flaws{true, true, true});
  });
}

Status SidePeers::reconcile_peers(const std::vector<PeerIndex>& changed) {
  Survey survey;
  Surveyor surveyor(*this, survey);
  if (auto status = interface_.device().visit(surveyor); !status) return status;
  find_among_strangers(survey);
  for (const PeerIndex index : changed) {
    survey.right.erase(index);
    survey.wrong.erase(index);
    endpoints_.erase(index);
  }

  // Removals first: a side address may have passed to another key.
  std::vector<PeerChange> changes;
  for (const auto& key : survey.strangers) {
    if (!interface_.is_ours() && !placed_.contains(key)) continue;
    changes.push_back({.public_key = key, .action = PeerAction::kRemove});
  }
  if (!changes.empty()) {
    base::log::info("netd.side-peers-removed", "{} that are not in the configuration (any more)", changes.size());
    if (auto status = apply(changes); !status) return status;
    base::step("side.peers-removed");
    for (const auto& key : survey.strangers) placed_.erase(key);
    found(DriftKind::kStrangers);
  }

  Status status;
  std::size_t set = 0;
  directory_.for_each([&](PeerIndex index, const Peer& peer) {
    if (!interface_.is_ours()) placed_.insert(peer.side_public_key);
    if (!status) return;
    if (survey.right.contains(index)) {
      if (interface_.was_cut() && endpoints_.contains(index))
        append_pulse(peer.side_public_key, keepalive_of(peer), changes);
      return;
    }
    ++set;
    if (const auto wrong = survey.wrong.find(index); wrong != survey.wrong.end()) {
      const Survey::Flaws& flaws = wrong->second;
      PeerChange change{.public_key = peer.side_public_key, .action = PeerAction::kUpdateOnly};
      if (flaws.allowed_ips) change.allowed_ips = {address_prefix(peer)};
      if (flaws.preshared_key) change.preshared_key = preshared_key_of(peer);
      if (flaws.keepalive) change.persistent_keepalive = keepalive_of(peer);
      changes.push_back(std::move(change));
      // The next handshake of the old key has failed, or will.
      if (flaws.preshared_key && endpoints_.contains(index))
        append_pulse(peer.side_public_key, keepalive_of(peer), changes);
      if (flaws.allowed_ips) {
        found(DriftKind::kAllowedIps, index);
      } else {
        if (flaws.preshared_key) found(DriftKind::kPresharedKey, index);
        if (flaws.keepalive) found(DriftKind::kKeepalive, index);
      }
    } else {
      append_placement(index, peer, changes);
      found(DriftKind::kPeerRemoved, index);
    }
    if (changes.size() >= kChunk) status = apply(changes);
  });
  if (status) status = apply(changes);
  base::step("side.peers-set");
  if (set > 0) base::log::info("netd.side-peers-set", "{} of {}", set, directory_.size());
  return status;
}

void SidePeers::append_placement(PeerIndex index, const Peer& peer, std::vector<PeerChange>& changes) const {
  PeerChange change{.public_key = peer.side_public_key};
  change.allowed_ips = {address_prefix(peer)};
  const auto remembered = endpoints_.find(index);
  change.endpoint = remembered != endpoints_.end() ? remembered->second : literal_endpoint(peer);
  if (change.endpoint || !peer.side_endpoint) change.persistent_keepalive = keepalive_of(peer);
  change.preshared_key = preshared_key_of(peer);
  const bool is_roamer_seen = change.endpoint && !peer.side_endpoint;
  changes.push_back(std::move(change));
  if (is_roamer_seen) append_pulse(peer.side_public_key, 0, changes);
}

Status SidePeers::apply(std::vector<PeerChange>& changes) {
  if (changes.empty()) return {};
  const auto failures = interface_.device().apply(changes);
  changes.clear();
  if (failures.empty()) return {};
  auto error = failures.front().error;
  if (failures.size() > 1) error.message += fmt::format(" (and {} more peers)", failures.size() - 1);
  return fail(std::move(error));
}

Result<std::vector<Route>> SidePeers::present_routes() {
  auto routes = network_.routes({.protocol = network::kRouteProtocol, .table = network::kMainTable});
  if (!routes) return fail(routes.error());
  std::erase_if(*routes, [&](const Route& route) { return route.ifindex != interface_.ifindex(); });
  return routes;
}

Status SidePeers::reconcile_routes() {
  const auto present = present_routes();
  if (!present) return fail(present.error());
  std::set<Route> wanted;
  for (const IpPrefix& prefix : ranges()) {
    Route route;
    route.prefix = prefix;
    route.ifindex = interface_.ifindex();
    wanted.insert(std::move(route));
  }
  const std::set<Route> standing(present->begin(), present->end());
  std::vector<Route> stale;
  std::ranges::set_difference(standing, wanted, std::back_inserter(stale));
  if (auto status = network::all_in_place(network_.remove_routes(stale)); !status) return status;
  std::vector<Route> missing;
  std::ranges::set_difference(wanted, standing, std::back_inserter(missing));
  if (missing.empty()) return {};
  if (auto status = network::all_in_place(network_.add_routes(missing)); !status) return status;
  base::step("side.routed");
  // A foreign route may stand in for one of ours: that one has not come back.
  const auto again = present_routes();
  if (!again) return fail(again.error());
  const bool is_back = std::ranges::any_of(
      missing, [&](const Route& route) { return std::ranges::find(*again, route) != again->end(); });
  if (is_back && !interface_.lost_routes()) found(DriftKind::kRoutes);
  return {};
}

Status SidePeers::set_endpoint(PeerIndex index, const model::Endpoint& endpoint) {
  const Peer* const peer = directory_.get(index);
  if (peer == nullptr || !interface_.is_known()) return {};
  remember(index, endpoint);
  std::vector<PeerChange> changes{{.public_key = peer->side_public_key, .action = PeerAction::kRemove}};
  append_placement(index, *peer, changes);
  changes[1].endpoint = endpoint;  // should there be too many to be remembered
  changes[1].persistent_keepalive = keepalive_of(*peer);
  return apply(changes);
}

Status SidePeers::flush() {
  if (!interface_.has_device()) return {};
  Status first;
  if (auto routes = present_routes(); !routes) {
    first = fail(routes.error());
  } else {
    first = network::all_in_place(network_.remove_routes(*routes));
  }
  base::step("side.flushed");
  std::vector<PeerChange> removals;
  if (interface_.is_ours()) {
    const auto state = interface_.device().dump();
    if (state) {
      for (const PeerState& peer : state->peers)
        removals.push_back({.public_key = peer.public_key, .action = PeerAction::kRemove});
    }
  } else {
    for (const auto& key : placed_) removals.push_back({.public_key = key, .action = PeerAction::kRemove});
  }
  if (auto status = apply(removals); !status && status.error().code != base::ErrorCode::kNotFound && first)
    first = status;
  return first;
}

void SidePeers::forget() {
  placed_.clear();
  endpoints_.clear();
  found_.clear();
  is_settled_ = false;
}

}  // namespace anubis::netd

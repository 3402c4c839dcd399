#include "anubisd/netd/side_peers.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/core.h>

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

IpPrefix address_prefix(const Peer& peer) { return {peer.side_address, peer.side_address.bits()}; }

std::optional<model::Endpoint> literal_endpoint(const Peer& peer) {
  if (!peer.side_endpoint) return std::nullopt;
  const auto address = peer.side_endpoint->literal();
  if (!address || !peer.side_endpoint->port) return std::nullopt;
  return model::Endpoint{*address, *peer.side_endpoint->port, 0};
}

// A peer whose endpoint is a name gets its keepalive with the endpoint, once that is resolved: WireGuard would send
// into the void now, and then not again for 5 s.
PeerChange placement(const Peer& peer) {
  PeerChange change{.public_key = peer.side_public_key};
  change.allowed_ips = {address_prefix(peer)};
  change.endpoint = literal_endpoint(peer);
  if (change.endpoint) {
    change.persistent_keepalive = kKeepalive;
  } else if (!peer.side_endpoint) {
    change.persistent_keepalive = 0;
  }
  change.preshared_key = peer.side_preshared_key ? peer.side_preshared_key : crypto::no_preshared_key();
  return change;
}

bool keepalive_matches(const Peer& peer, const PeerState& state) {
  if (!peer.side_endpoint) return state.persistent_keepalive == 0;
  return state.persistent_keepalive == kKeepalive || (!literal_endpoint(peer) && !state.endpoint);
}

// Sorts what stands on the device.
class Survey final : public wireguard::DumpVisitor {
 public:
  Survey(const SidePeers& side, const model::PeerDirectory& directory) : side_(side), directory_(directory) {}

  void begin(const wireguard::DeviceInfo& /*device*/) override {
    right.clear();
    others.clear();
  }
  void peer(PeerState&& state) override {
    const auto index = side_.index_of(state);
    if (index && keepalive_matches(*directory_.get(*index), state) &&
        crypto::same_key(directory_.get(*index)->side_preshared_key, state.preshared_key)) {
      right.insert(*index);
    } else if (!index) {
      others.push_back(state.public_key);
    }
  }

  std::unordered_set<PeerIndex> right;    // authorised, and need not be touched
  std::vector<crypto::PublicKey> others;  // not authorised, or with other allowed IPs
 private:
  const SidePeers& side_;
  const model::PeerDirectory& directory_;
};

}  // namespace

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

Status SidePeers::reconcile(const std::vector<PeerIndex>& changed) {
  if (auto status = reconcile_peers(changed); !status) return status;
  return reconcile_routes();
}

Status SidePeers::reconcile_peers(const std::vector<PeerIndex>& changed) {
  Survey survey(*this, directory_);
  if (auto status = interface_.device().visit(survey); !status) return status;
  for (const PeerIndex index : changed) survey.right.erase(index);

  // Removals first: a side address may have passed to another key.
  std::vector<PeerChange> changes;
  for (const auto& key : survey.others) {
    if (!interface_.is_ours() && !placed_.contains(key)) continue;
    changes.push_back({.public_key = key, .action = PeerAction::kRemove});
    placed_.erase(key);
  }
  if (!changes.empty())
    base::log::info("netd.side-peers-removed", "{} that are not in the configuration (any more)", changes.size());
  Status status = apply(changes);
  base::step("side.peers-removed");
  std::size_t added = 0;
  directory_.for_each([&](PeerIndex index, const Peer& peer) {
    if (!interface_.is_ours()) placed_.insert(peer.side_public_key);
    if (!status || survey.right.contains(index)) return;
    changes.push_back(placement(peer));
    ++added;
    if (changes.size() >= kChunk) status = apply(changes);
  });
  if (status) status = apply(changes);
  base::step("side.peers-set");
  if (added > 0) base::log::info("netd.side-peers-set", "{} of {}", added, directory_.size());
  return status;
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
  auto status = network::all_in_place(network_.add_routes(missing));
  base::step("side.routed");
  return status;
}

Status SidePeers::set_endpoint(PeerIndex index, const model::Endpoint& endpoint) {
  const Peer* const peer = directory_.get(index);
  if (peer == nullptr || !interface_.is_known()) return {};
  std::vector<PeerChange> changes{
      {.public_key = peer->side_public_key, .action = PeerAction::kUpdateOnly, .persistent_keepalive = 0},
      {.public_key = peer->side_public_key,
       .action = PeerAction::kUpdateOnly,
       .endpoint = endpoint,
       .persistent_keepalive = kKeepalive}};
  return apply(changes);
}

Status SidePeers::flush() {
  if (!interface_.is_known()) return {};
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
  placed_.clear();
  if (auto status = apply(removals); !status && status.error().code != base::ErrorCode::kNotFound && first)
    first = status;
  return first;
}

}  // namespace anubis::netd

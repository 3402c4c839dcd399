#include "lib/identity/plan.h"

#include <fmt/format.h>

namespace anubis::identity {

using base::ErrorCode;
using base::fail;

base::Result<Acquaintance> check_card(const config::Config& config, const Card& card, const std::string& name) {
  const auto is_own = [&](const crypto::PublicKey& key) {
    return key == config.production.public_key || key == config.side.public_key;
  };
  if (is_own(card.public_key) || is_own(card.side_public_key)) {
    return fail(ErrorCode::kInvalid,
                "that is this host's own card; `anubis card` on the other host prints the one for here");
  }
  for (const model::Peer& peer : config.peers) {
    if (peer.name == name && peer.public_key == card.public_key && peer.side_public_key == card.side_public_key) {
      return Acquaintance::kKnown;
    }
    if (peer.is_plain && peer.public_key == card.public_key) {
      if (peer.name == name) return Acquaintance::kPlain;
      return fail(ErrorCode::kConflict, fmt::format("this is the peer {}, as which no Anubis was known to run there: "
                                                    "complete it with --name {}",
                                                    peer.name, peer.name));
    }
    if (peer.name == name) {
      return fail(ErrorCode::kConflict,
                  fmt::format("there is a peer {} with other keys already; if this one is to take its place: anubis "
                              "revoke {}, else choose another name with --name",
                              name, name));
    }
    const auto is_theirs = [&](const crypto::PublicKey& key) {
      return key == peer.public_key || key == peer.side_public_key;
    };
    if (is_theirs(card.public_key) || is_theirs(card.side_public_key)) {
      return fail(ErrorCode::kConflict,
                  fmt::format("the peer {} has a key of this card already; a host is one peer only", peer.name));
    }
  }
  if (name == config.name) {
    return fail(ErrorCode::kConflict,
                fmt::format("{} is the name of this host; choose another for the peer with --name", name));
  }
  return Acquaintance::kNew;
}

namespace {

base::Status check_against(const model::IpPrefix& range, const std::string& name, const std::string& holder,
                           const std::string& holders_name, const std::vector<model::IpPrefix>& held) {
  if (holders_name == name) return {};
  for (const model::IpPrefix& other : held) {
    // A default route leaves room for all others.
    if (range != other && (range.is_default_route() || other.is_default_route())) continue;
    if (!range.overlaps(other)) continue;
    return fail(ErrorCode::kConflict,
                range == other
                    ? fmt::format("{} belongs to {} already; name others with --allowed-ips", range.to_string(), holder)
                    : fmt::format("{} overlaps {} of {}; name others with --allowed-ips", range.to_string(),
                                  other.to_string(), holder));
  }
  return {};
}

}  // namespace

base::Status check_ranges(const config::Config& config, const std::string& name,
                          const std::vector<model::IpPrefix>& allowed_ips) {
  for (const model::IpPrefix& range : allowed_ips) {
    for (const auto& own : config.production.addresses) {
      if (range == model::IpPrefix(own.address, own.address.bits())) {
        return fail(ErrorCode::kConflict,
                    fmt::format("{} is this host's own address; give the peer another", own.address.to_string()));
      }
    }
    for (const model::Peer& peer : config.peers) {
      if (auto free = check_against(range, name, "the peer " + peer.name, peer.name, peer.allowed_ips); !free)
        return free;
    }
    for (const config::Invitation& each : config.invitations) {  // kept for whoever was invited
      const auto& ranges = each.allowed_ips;
      if (auto free = check_against(range, name, "the invitation of " + each.name, each.name, ranges); !free)
        return free;
    }
  }
  return {};
}

std::vector<model::IpPrefix> ranges_of(const std::vector<model::IpAddress>& addresses) {
  std::vector<model::IpPrefix> ranges;
  ranges.reserve(addresses.size());
  for (const auto& address : addresses) ranges.emplace_back(address, address.bits());
  return ranges;
}

}  // namespace anubis::identity

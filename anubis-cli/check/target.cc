#include "anubis-cli/check/target.h"

#include <algorithm>

namespace anubis::cli {
namespace {

using model::IpAddress;
using model::IpPrefix;
using Texts = google::protobuf::RepeatedPtrField<std::string>;

// What the daemon says, which says nothing else; what is not understood counts as absent.
std::vector<IpAddress> addresses_in(const Texts& texts) {
  std::vector<IpAddress> all;
  for (const auto& text : texts) {
    if (const auto address = IpAddress::parse(text)) all.push_back(*address);
  }
  return all;
}

// The longest prefix among these that contains the address.
std::optional<std::uint8_t> longest_match(const Texts& prefixes, const IpAddress& address) {
  std::optional<std::uint8_t> longest;
  for (const auto& text : prefixes) {
    const auto prefix = IpPrefix::parse(text);
    if (prefix && prefix->contains(address) && (!longest || prefix->length() > *longest)) longest = prefix->length();
  }
  return longest;
}

// Of the peers that are up, or of those that are not.
const control::PeerStatus* best_match(const Picture& picture, const IpAddress& address, bool up) {
  const control::PeerStatus* best = nullptr;
  std::uint8_t length = 0;
  for (const auto& peer : picture.peers) {
    if ((peer.state() == "up") != up) continue;
    const auto match = longest_match(peer.allowed_ips(), address);
    if (match && (best == nullptr || *match > length)) best = &peer, length = *match;
  }
  return best;
}

const control::NamedHost* find_host(const Picture& picture, const std::string& name) {
  const auto found = std::ranges::find_if(picture.hosts, [&name](const control::NamedHost& host) {
    return host.name() == name || host.wireguard_name() == name;
  });
  return found != picture.hosts.end() ? &*found : nullptr;
}

const control::PeerStatus* find_peer(const Picture& picture, const std::string& name) {
  const auto found = std::ranges::find(picture.peers, name, &control::PeerStatus::name);
  return found != picture.peers.end() ? &*found : nullptr;
}

bool is_wireguard_address(const Picture& picture, const IpAddress& address) {
  return std::ranges::any_of(picture.hosts, [&address](const control::NamedHost& host) {
    return std::ranges::count(addresses_in(host.addresses()), address) != 0;
  });
}

// The route says the same when all is well: this is what it should say. PEER: the one that was named; may be null.
Expected expected_way(const Picture& picture, const IpAddress& address, const control::PeerStatus* peer) {
  if (longest_match(picture.host.production_throw(), address)) return Expected::kDirect;
  const bool is_tunnels = is_wireguard_address(picture, address) || peer_that_gets(picture, address) != nullptr ||
                          (peer != nullptr && longest_match(peer->allowed_ips(), address));
  return is_tunnels ? Expected::kThroughTunnel : Expected::kDirect;
}

}  // namespace

const control::PeerStatus* peer_that_gets(const Picture& picture, const IpAddress& address) {
  return best_match(picture, address, true);
}

const control::PeerStatus* peer_that_would_get(const Picture& picture, const IpAddress& address) {
  return best_match(picture, address, false);
}

std::string name_of(const Picture& picture, const IpAddress& address) {
  for (const auto& host : picture.hosts) {
    if (std::ranges::count(addresses_in(host.lan_addresses()), address) != 0) return host.name();
    if (std::ranges::count(addresses_in(host.addresses()), address) != 0) return host.wireguard_name();
  }
  return {};
}

Outcome<std::vector<Target>> targets_of(const Picture& picture, const std::string& name,
                                        const std::optional<IpAddress>& to) {
  const control::NamedHost* host = find_host(picture, name);
  if (host == nullptr) {
    return fail(control::NO_SUCH_PEER, "no host is called " + name + "; their names: anubis hosts");
  }
  std::vector<Target> targets;
  const auto add = [&](const std::string& of, const IpAddress& address, AddressKind kind,
                       const control::PeerStatus* peer) {
    targets.push_back({of, address, kind, expected_way(picture, address, peer),
                       longest_match(picture.host.production_direct(), address)});
  };
  const control::PeerStatus* const peer = find_peer(picture, host->name());
  if (to) {
    add(name_of(picture, *to), *to, AddressKind::kGiven, peer);
    return targets;
  }
  if (host->kind() == "this host") return fail(control::FAILED, name + " is this host: what goes there goes nowhere");
  if (name == host->name()) {
    for (const IpAddress& address : addresses_in(host->lan_addresses())) {
      add(host->name(), address, AddressKind::kLan, nullptr);
    }
  }
  for (const IpAddress& address : addresses_in(host->addresses())) {
    add(host->wireguard_name(), address, AddressKind::kWireGuard, peer);
  }
  if (targets.empty()) {
    return fail(control::FAILED, name +
                                     " has no address to look at: write addresses or lan_addresses for it into "
                                     "anubis.toml, or name one with --to");
  }
  return targets;
}

}  // namespace anubis::cli

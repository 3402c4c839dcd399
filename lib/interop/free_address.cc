#include "lib/interop/free_address.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace anubis::interop {
namespace {

using base::ErrorCode;
using base::fail;
using model::Family;
using model::IpAddress;
using model::IpPrefix;

// Whoever has filled so many gives addresses by a plan of his own.
constexpr std::uint32_t kMostTried = 1u << 16;

// Those in which there is room for anybody else.
std::vector<IpPrefix> networks_of(const config::Config& config) {
  std::vector<IpPrefix> networks;
  for (const auto& each : config.production.addresses) {
    const IpPrefix network(each.address, each.length);
    const bool has_room = each.length + 2 <= each.address.bits();
    if (has_room && std::ranges::find(networks, network) == networks.end()) networks.push_back(network);
  }
  return networks;
}

// How many addresses behind that of the network there are, at most kMostTried.
std::uint32_t last_of(const IpPrefix& network) {
  const unsigned bits = network.address().bits() - network.length();
  const std::uint32_t all = bits >= 16 ? kMostTried : 1u << bits;
  return all - (network.family() == Family::kV4 ? 2 : 1);  // not the broadcast address
}

// The network has its bits clear there.
IpAddress nth(const IpPrefix& network, std::uint32_t number) {
  std::array<std::uint8_t, 16> bytes{};
  const auto base = network.address().bytes();
  std::ranges::copy(base, bytes.begin());
  for (std::size_t i = base.size(); number != 0 && i-- > 0; number >>= 8)
    bytes[i] = static_cast<std::uint8_t>(bytes[i] | (number & 0xff));
  if (network.family() == Family::kV4) return IpAddress::v4(std::span(bytes).first<4>());
  return IpAddress::v6(bytes);
}

bool is_taken(const config::Config& config, const IpPrefix& network, const IpAddress& address) {
  const auto has = [&](const std::vector<IpAddress>& addresses) {
    return std::ranges::find(addresses, address) != addresses.end();
  };
  if (has(config.hosts.own.addresses)) return true;
  if (std::ranges::any_of(config.hosts.others, [&](const model::Host& host) { return has(host.addresses); }))
    return true;
  const auto is_in = [&](const std::vector<IpPrefix>& ranges) {
    return std::ranges::any_of(
        ranges, [&](const IpPrefix& range) { return range.contains(address) && !range.contains(network); });
  };
  // Kept for whoever was invited.
  if (std::ranges::any_of(config.invitations, is_in, &config::Invitation::allowed_ips)) return true;
  return std::ranges::any_of(config.peers,
                             [&](const model::Peer& peer) { return is_in(peer.allowed_ips) || has(peer.addresses); });
}

}  // namespace

base::Result<std::vector<IpAddress>> free_addresses(const config::Config& config) {
  const auto networks = networks_of(config);
  if (networks.empty()) {
    return fail(ErrorCode::kInvalid,
                "[production] addresses names no network that an address could be taken from; say which it is to be");
  }
  std::uint32_t last = kMostTried;
  for (const IpPrefix& network : networks) last = std::min(last, last_of(network));
  for (std::uint32_t number = 1; number <= last; ++number) {
    std::vector<IpAddress> found;
    for (const IpPrefix& network : networks) {
      const IpAddress address = nth(network, number);
      if (is_taken(config, network, address)) break;
      found.push_back(address);
    }
    if (found.size() == networks.size()) return found;
  }
  return fail(ErrorCode::kFull,
              fmt::format("no address of {} is free; say which it is to be", networks.front().to_string()));
}

}  // namespace anubis::interop

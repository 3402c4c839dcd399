#include "lib/interop/import_ranges.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "lib/config/side_address.h"

namespace anubis::interop {
namespace {

using config::WgQuickFile;
using config::WgQuickPeer;
using model::Family;
using model::IpAddress;
using model::IpPrefix;

IpPrefix default_route(Family family) {
  return {family == Family::kV4 ? IpAddress() : IpAddress::v6(std::array<std::uint8_t, 16>{}), 0};
}

std::array<IpPrefix, 2> halves_of(Family family) {
  const std::array<std::uint8_t, 16> upper{0x80};
  const IpAddress middle = family == Family::kV4 ? IpAddress::v4(std::span(upper).first<4>()) : IpAddress::v6(upper);
  return {IpPrefix(default_route(family).address(), 1), IpPrefix(middle, 1)};
}

bool has(const WgQuickPeer& peer, const IpPrefix& range) {
  return std::ranges::find(peer.allowed_ips, range) != peer.allowed_ips.end();
}

bool has_halves(const WgQuickPeer& peer, Family family) {
  return std::ranges::all_of(halves_of(family), [&](const IpPrefix& half) { return has(peer, half); });
}

// All ranges of all peers; what contains another stands before it.
std::vector<std::pair<IpPrefix, std::size_t>> sorted_ranges(const WgQuickFile& file) {
  std::vector<std::pair<IpPrefix, std::size_t>> all;
  for (std::size_t i = 0; i < file.peers.size(); ++i) {
    for (const IpPrefix& range : file.peers[i].allowed_ips) all.emplace_back(range, i);
  }
  std::ranges::sort(all);
  return all;
}

// Those of which KEEPS (range -> bool) says so, with their lines.
template <class Keeps>
void keep_ranges(WgQuickPeer& peer, Keeps keeps) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < peer.allowed_ips.size(); ++i) {
    if (!keeps(peer.allowed_ips[i])) continue;
    peer.allowed_ips[kept] = peer.allowed_ips[i];
    peer.allowed_ips_lines[kept++] = peer.allowed_ips_lines[i];
  }
  peer.allowed_ips.resize(kept);
  peer.allowed_ips_lines.resize(kept);
}

bool is_free(const WgQuickFile& file, const IpPrefix& prefix) {
  const bool has_address = std::ranges::any_of(
      file.interface.addresses, [&](const auto& each) { return prefix.overlaps(IpPrefix(each.address, each.length)); });
  return !has_address && std::ranges::none_of(file.peers, [&](const WgQuickPeer& peer) {
    return std::ranges::any_of(
        peer.allowed_ips, [&](const IpPrefix& range) { return !range.is_default_route() && prefix.overlaps(range); });
  });
}

}  // namespace

bool covers_all(const WgQuickPeer& peer, Family family) {
  return has(peer, default_route(family)) || has_halves(peer, family);
}

std::vector<std::size_t> join_halves(WgQuickFile& file) {
  std::vector<std::size_t> joined;
  for (std::size_t i = 0; i < file.peers.size(); ++i) {
    WgQuickPeer& peer = file.peers[i];
    if (!has_halves(peer, Family::kV6)) continue;
    const auto halves = halves_of(Family::kV6);
    std::ranges::replace(peer.allowed_ips, halves[0], default_route(Family::kV6));
    keep_ranges(peer, [&halves](const IpPrefix& range) { return range != halves[1]; });
    joined.push_back(i);
  }
  return joined;
}

std::set<std::pair<std::size_t, std::size_t>> settle_equal(WgQuickFile& file) {
  for (WgQuickPeer& peer : file.peers) {
    std::set<IpPrefix> seen;
    keep_ranges(peer, [&seen](const IpPrefix& range) { return seen.insert(range).second; });
  }
  const auto all = sorted_ranges(file);
  std::set<std::pair<std::size_t, std::size_t>> losses;
  std::vector<std::set<IpPrefix>> lost(file.peers.size());
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    if (all[i].first != all[i + 1].first) continue;
    lost[all[i].second].insert(all[i].first);
    losses.emplace(all[i].second, all[i + 1].second);
  }
  for (std::size_t i = 0; i < lost.size(); ++i) {
    keep_ranges(file.peers[i], [&](const IpPrefix& range) { return !lost[i].contains(range); });
  }
  return losses;
}

std::vector<bool> find_nested(const WgQuickFile& file) {
  std::vector<bool> nested(file.peers.size());
  std::vector<std::pair<IpPrefix, std::size_t>> outer;
  for (const auto& [range, peer] : sorted_ranges(file)) {
    while (!outer.empty() && !outer.back().first.contains(range)) outer.pop_back();
    for (const auto& [around, other] : outer) {
      if (other != peer && !around.is_default_route()) nested[peer] = true;
    }
    outer.emplace_back(range, peer);
  }
  return nested;
}

std::optional<IpPrefix> side_prefix_beside(const WgQuickFile& file) {
  const std::uint8_t usual = config::default_side_prefix().address().bytes()[1];
  for (const std::uint8_t first : {std::uint8_t{0xfd}, std::uint8_t{0xfc}}) {
    for (unsigned i = 0; i < 256; ++i) {
      const std::array<std::uint8_t, 16> bytes{first, static_cast<std::uint8_t>(usual + i)};
      const IpPrefix prefix(IpAddress::v6(bytes), 16);
      if (is_free(file, prefix)) return prefix;
    }
  }
  return std::nullopt;
}

std::vector<IpPrefix> direct_ranges(const WgQuickFile& file) {
  std::vector<IpPrefix> ranges;
  // What contains another stands before it.
  for (const char* text : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fd00::/8"}) {
    const IpPrefix range = *IpPrefix::parse(text);
    const auto has_range = [&](const WgQuickPeer& peer) {
      return covers_all(peer, range.family()) ||
             std::ranges::any_of(peer.allowed_ips, [&](const IpPrefix& each) { return each.contains(range); });
    };
    const bool has_address = std::ranges::any_of(
        file.interface.addresses, [&](const auto& each) { return each.address.family() == range.family(); });
    const bool is_in_another = !ranges.empty() && ranges.back().contains(range);
    if (has_address && !is_in_another && std::ranges::any_of(file.peers, has_range)) ranges.push_back(range);
  }
  return ranges;
}

}  // namespace anubis::interop

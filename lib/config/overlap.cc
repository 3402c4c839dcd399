#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "lib/config/check.h"

namespace anubis::config {
namespace {

using model::IpAddress;
using model::IpPrefix;

// An allowed IP of a peer, in the tree of all of them.
struct Range {
  IpPrefix prefix;
  const PeerEntry* entry;
  Place place;
  std::ptrdiff_t parent = kNone;  // the nearest shorter prefix that contains this one

  static constexpr std::ptrdiff_t kNone = -1;
};

// Sorted by prefix, so that equal ones are neighbours and those that contain others stand before them; equal ones in
// the order of the configuration.
std::vector<Range> make_tree(const std::vector<PeerEntry>& peers) {
  std::vector<Range> ranges;
  for (const PeerEntry& entry : peers) {
    for (std::size_t i = 0; i < entry.peer.allowed_ips.size(); ++i) {
      ranges.push_back({entry.peer.allowed_ips[i], &entry, entry.allowed_ips[i]});
    }
  }
  std::ranges::stable_sort(ranges, {}, &Range::prefix);
  std::ptrdiff_t previous = Range::kNone;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    // Of equal ones all have the same parent, and the first is the parent of those inside.
    if (i > 0 && ranges[i - 1].prefix == ranges[i].prefix) {
      ranges[i].parent = ranges[i - 1].parent;
      continue;
    }
    std::ptrdiff_t parent = previous;
    while (parent != Range::kNone && !ranges[parent].prefix.contains(ranges[i].prefix)) parent = ranges[parent].parent;
    ranges[i].parent = parent;
    previous = static_cast<std::ptrdiff_t>(i);
  }
  return ranges;
}

bool share_group(const PeerEntry& a, const PeerEntry& b) {
  return !a.peer.group.empty() && a.peer.group == b.peer.group;
}

std::string owner(const Range& range, const Report& report) {
  return fmt::format("{} (\"{}\") at {}", range.entry->key_path("allowed_ips"), range.entry->peer.name,
                     report.where(range.place));
}

void check_equal(const std::vector<Range>& ranges, Report& report) {
  std::size_t first = 0;
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].prefix != ranges[first].prefix) {
      first = i;
      continue;
    }
    if (ranges[i].entry == ranges[first].entry) {
      report.error(ranges[i].place, ranges[i].entry->key_path("allowed_ips"),
                   fmt::format("{} stands here twice; take one out", ranges[i].prefix.to_string()));
    } else if (!share_group(*ranges[i].entry, *ranges[first].entry)) {
      report.error(
          ranges[i].place, ranges[i].entry->key_path("allowed_ips"),
          fmt::format("{} belongs to {} already; WireGuard would take it away from there: take one out, or put "
                      "both peers into one group if only one is to be up at a time",
                      ranges[i].prefix.to_string(), owner(ranges[first], report)));
    }
  }
}

void check_nested(const std::vector<Range>& ranges, Report& report) {
  for (const Range& range : ranges) {
    if (range.entry->nested) continue;
    for (auto i = range.parent; i != Range::kNone; i = ranges[i].parent) {
      const Range& outer = ranges[i];
      if (outer.prefix.is_default_route() || outer.entry == range.entry || share_group(*outer.entry, *range.entry))
        continue;
      report.error(range.place, range.entry->key_path("allowed_ips"),
                   fmt::format("{} lies inside {} of {}; if this peer is to get that part of it, say so with nested = "
                               "true in this [[peer]]",
                               range.prefix.to_string(), outer.prefix.to_string(), owner(outer, report)));
      break;
    }
  }
}

// The longest allowed IP, other than a default route, that the address lies in.
const Range* find_range(const std::vector<Range>& ranges, const IpAddress& address) {
  const auto behind = std::ranges::upper_bound(ranges, IpPrefix(address, address.bits()), {}, &Range::prefix);
  for (auto i = behind - ranges.begin() - 1; i != Range::kNone; i = ranges[i].parent) {
    if (ranges[i].prefix.contains(address) && !ranges[i].prefix.is_default_route()) return &ranges[i];
  }
  return nullptr;
}

// Those inside the side prefix are safe already: no allowed IP overlaps that.
void check_side_address(const std::vector<Range>& ranges, const IpAddress& address, Place place, const std::string& key,
                        Report& report) {
  if (const Range* range = find_range(ranges, address)) {
    report.error(place, key,
                 fmt::format("{} lies inside {} of {}; side addresses are for Anubis alone: use a range of their own",
                             address.to_string(), range->prefix.to_string(), owner(*range, report)));
  }
}

void check_endpoint(const std::vector<Range>& ranges, const std::optional<model::HostPort>& endpoint,
                    const std::optional<Place>& place, const std::string& key, Report& report) {
  if (!endpoint || !place) return;
  const auto address = endpoint->literal();
  if (!address) return;
  if (const Range* range = find_range(ranges, *address)) {
    report.error(*place, key,
                 fmt::format("{} lies inside {} of {}, and with production.table = \"main\" the packets that bear the "
                             "tunnel would go into the tunnel; give production.table a number of its own",
                             address->to_string(), range->prefix.to_string(), owner(*range, report)));
  }
}

}  // namespace

void check_allowed_ips(const Config& own, const OwnPlaces& places, const std::vector<PeerEntry>& peers,
                       Report& report) {
  const auto ranges = make_tree(peers);
  check_equal(ranges, report);
  check_nested(ranges, report);
  if (places.side_address) {
    check_side_address(ranges, own.side.address, *places.side_address, "side.address", report);
  }
  for (const PeerEntry& entry : peers) {
    if (entry.side_address) {
      check_side_address(ranges, entry.peer.side_address, *entry.side_address, entry.key_path("side_address"), report);
    }
    if (own.production.table == kMainTable) {
      check_endpoint(ranges, entry.peer.endpoint, entry.endpoint, entry.key_path("endpoint"), report);
      check_endpoint(ranges, entry.peer.side_endpoint, entry.side_endpoint, entry.key_path("side_endpoint"), report);
    }
  }
}

}  // namespace anubis::config

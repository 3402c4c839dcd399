#include "lib/config/check.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

namespace anubis::config {
namespace {

using crypto::PublicKey;

void check_names(const std::vector<PeerEntry>& peers, Report& report) {
  std::unordered_map<std::string_view, Place> seen;
  seen.reserve(peers.size());
  for (const PeerEntry& entry : peers) {
    if (!entry.name) continue;
    const auto [first, is_new] = seen.emplace(entry.peer.name, *entry.name);
    if (is_new) continue;
    report.error(*entry.name, entry.key_path("name"),
                 fmt::format("\"{}\" is the name of another peer already, at {}; give each its own", entry.peer.name,
                             report.where(first->second)));
  }
}

// All keys of all hosts and companions, production and side alike, in one set: with equal keys on side and production,
// a captured initiation for the one could be played to the other and move its endpoint. A plain peer has one interface
// only, and may have one key for it: our two have different ones, so what it sends to either is nothing to the other.
class KeySet {
 public:
  explicit KeySet(std::size_t peers, Report& report) : report_(report) { seen_.reserve(3 * peers + 2); }

  void add_own(const PublicKey& key, const std::optional<Place>& place, std::string_view path) {
    add(key, place, nullptr, path);
  }
  void add(const PublicKey& key, const std::optional<Place>& place, const PeerEntry& entry, std::string_view name) {
    add(key, place, &entry, name);
  }

 private:
  struct Use {
    Place place;
    const PeerEntry* entry;  // null: this host
    std::string_view name;

    [[nodiscard]] std::string path() const { return entry != nullptr ? entry->key_path(name) : std::string(name); }
  };

  void add(const PublicKey& key, const std::optional<Place>& place, const PeerEntry* entry, std::string_view name) {
    if (!place) return;
    const Use use{*place, entry, name};
    const auto [found, is_new] = seen_.emplace(key, use);
    if (is_new) return;
    const Use& first = found->second;
    report_.error(use.place, use.path(),
                  fmt::format("is the same key as {} at {}; {}", first.path(), report_.where(first.place),
                              entry != nullptr && first.entry == nullptr
                                  ? "a host cannot be its own peer, so put the peer's key here"
                                  : "every interface of every host needs a key of its own"));
  }

  Report& report_;
  std::unordered_map<PublicKey, Use, crypto::PublicKeyHash> seen_;
};

void check_keys(const Config& own, const OwnPlaces& places, const std::vector<PeerEntry>& peers, Report& report) {
  KeySet keys(peers.size(), report);
  keys.add_own(own.production.public_key, places.production_key, "production.private_key_file");
  keys.add_own(own.side.public_key, places.side_key, "side.private_key_file");
  for (const PeerEntry& entry : peers) {
    keys.add(entry.peer.public_key, entry.public_key, entry, "public_key");
    const bool has_one_key = entry.peer.is_plain && entry.peer.side_public_key.bytes == entry.peer.public_key.bytes;
    if (!has_one_key) keys.add(entry.peer.side_public_key, entry.side_public_key, entry, "side_public_key");
    if (entry.companion_key) keys.add(*entry.peer.companion_key, entry.companion_key, entry, "companion_key");
  }
}

// F18: what one use of a key gives away must not help against the other.
void check_preshared_keys(const Config& own, const std::vector<PeerEntry>& peers, Report& report) {
  const auto check_private = [&](const PeerEntry& entry, const std::optional<Place>& place, std::string_view name,
                                 std::span<const std::uint8_t, crypto::kKeySize> key) {
    if (std::ranges::equal(key, own.production.private_key.view()) ||
        std::ranges::equal(key, own.side.private_key.view())) {
      report.error(*place, entry.key_path(name), "holds a private key of this host; make another with: wg genpsk");
    }
  };
  for (const PeerEntry& entry : peers) {
    const model::Peer& peer = entry.peer;
    if (entry.preshared_key)
      check_private(entry, entry.preshared_key, "preshared_key_file", peer.preshared_key->view());
    if (entry.side_preshared_key)
      check_private(entry, entry.side_preshared_key, "side_preshared_key_file", peer.side_preshared_key->view());
    if (entry.production_preshared_key) {
      check_private(entry, entry.production_preshared_key, "production_preshared_key_file",
                    peer.production_preshared_key->view());
    }
    if (entry.preshared_key && entry.side_preshared_key &&
        std::ranges::equal(peer.preshared_key->view(), peer.side_preshared_key->view())) {
      report.error(*entry.side_preshared_key, entry.key_path("side_preshared_key_file"),
                   fmt::format("holds the same key as preshared_key_file, at {}; make another with: wg genpsk",
                               report.where(*entry.preshared_key)));
    }
  }
}

void check_side_addresses(const Config& own, const OwnPlaces& places, const std::vector<PeerEntry>& peers,
                          Report& report) {
  std::vector<std::pair<model::IpAddress, const PeerEntry*>> all;
  all.reserve(peers.size());
  for (const PeerEntry& entry : peers) {
    if (!entry.side_address) continue;
    if (places.side_address && entry.peer.side_address.family() != own.side.address.family()) {
      report.error(*entry.side_address, entry.key_path("side_address"),
                   fmt::format("{} is of another family than this host's side address {}, at {}; set both to the same",
                               entry.peer.side_address.to_string(), own.side.address.to_string(),
                               report.where(*places.side_address)));
    }
    if (places.side_address && entry.peer.side_address == own.side.address) {
      report.error(*entry.side_address, entry.key_path("side_address"),
                   fmt::format("{} is this host's own side address, at {}; give each host its own",
                               own.side.address.to_string(), report.where(*places.side_address)));
    }
    all.emplace_back(entry.peer.side_address, &entry);
  }
  std::ranges::stable_sort(all, {}, &decltype(all)::value_type::first);
  for (std::size_t i = 1; i < all.size(); ++i) {
    const auto& [address, entry] = all[i];
    const auto& [earlier_address, earlier] = all[i - 1];
    // Equal derived addresses come from equal keys, and those have been told.
    if (address != earlier_address || entry->side_address == entry->side_public_key) continue;
    report.error(*entry->side_address, entry->key_path("side_address"),
                 fmt::format("{} is the side address of {} already, at {}; give each host its own", address.to_string(),
                             earlier->key_path("side_address"), report.where(*earlier->side_address)));
  }
}

}  // namespace

void check_identities(const Config& own, const OwnPlaces& places, const std::vector<PeerEntry>& peers, Report& report) {
  check_names(peers, report);
  check_keys(own, places, peers, report);
  check_preshared_keys(own, peers, report);
  check_side_addresses(own, places, peers, report);
}

}  // namespace anubis::config

// What no single key shows: whether the parts of a configuration go together. Internal to lib/config.
#pragma once

#include <optional>
#include <vector>

#include "lib/config/config.h"
#include "lib/config/host_entry.h"
#include "lib/config/peer_entry.h"
#include "lib/config/report.h"

namespace anubis::config {

// Where this host's own valid values stand; without a place: not to be compared.
struct OwnPlaces {
  std::optional<Place> production_key;
  std::optional<Place> side_key;
  std::optional<Place> side_address;
  std::optional<Place> name;
  std::vector<Place> addresses;  // as many as in config.hosts.own
  std::vector<Place> lan_addresses;
};

// Names, keys and side addresses are everybody's own (F19), and a preshared key serves one purpose (F18).
void check_identities(const Config& own, const OwnPlaces& places, const std::vector<PeerEntry>& peers, Report& report);

// Allowed IPs overlap only on purpose (F32, F33), leave side addresses alone (F34), and with routes in the main table
// take no peer's endpoint into a tunnel (F38). Time: n log n.
void check_allowed_ips(const Config& own, const OwnPlaces& places, const std::vector<PeerEntry>& peers, Report& report);

// Every host has its own two names and its own addresses.
void check_hosts(const Config& own, const OwnPlaces& places, const std::vector<PeerEntry>& peers,
                 const std::vector<HostEntry>& hosts, Report& report);

// Gives peers that don't say which addresses they have those of their allowed IPs that are one address each and nobody
// else's.
void derive_addresses(const Config& own, std::vector<PeerEntry>& peers, const std::vector<HostEntry>& hosts);

}  // namespace anubis::config

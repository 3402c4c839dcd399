// Names and addresses of hosts: this one, the peers, and those that are no peers.
#include <algorithm>
#include <cctype>
#include <functional>
#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "lib/config/check.h"

namespace anubis::config {
namespace {

using model::IpAddress;

struct AddressHash {
  std::size_t operator()(const IpAddress& address) const noexcept {
    const auto bytes = address.bytes();
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
};

// Something that a host is known by, and where that stands.
struct Use {
  std::string_view name;       // of the host; empty: it has none that is valid
  std::optional<Place> place;  // none: a default of this host's
  std::string path;            // "host[2].name"
  bool of_peer = false;
};

// For the end of a sentence: whose it is.
std::string owner(const Use& use, const Report& report) {
  return use.place ? fmt::format("{} at {}", use.path, report.where(*use.place)) : "this host";
}

// Names are looked up regardless of case, by hosts(5) as by the DNS.
std::string lower_case(std::string_view name) {
  std::string text(name);
  std::ranges::transform(text, text.begin(), [](unsigned char character) { return std::tolower(character); });
  return text;
}

class Names {
 public:
  explicit Names(Report& report) : report_(report) {}

  void add(Use use) {
    if (use.name.empty()) return;
    const auto [found, is_new] = uses_.emplace(lower_case(use.name), use);
    if (is_new) return;
    const Use& first = found->second;
    if (first.of_peer && use.of_peer && first.name == use.name) return;  // told where peers are compared
    report_.error(
        use.place.value(), use.path,  // only this host's may have none, and that comes first
        fmt::format("\"{}\" is the name of {} already; give each host its own", use.name,
                    first.place ? fmt::format("another host, at {},", report_.where(*first.place)) : "this host"));
  }

  // Once all are in.
  void check_wireguard_names() {
    for (const auto& [name, use] : uses_) {
      if (!name.ends_with(model::kWireGuardSuffix)) continue;
      const auto found = uses_.find(name.substr(0, name.size() - model::kWireGuardSuffix.size()));
      if (found == uses_.end()) continue;
      const Use& other = found->second;
      const Use& wrong = use.place ? use : other;
      if (!wrong.place) continue;
      const Use& right = use.place ? other : use;
      report_.error(
          *wrong.place, wrong.path,
          fmt::format("\"{}\" would name two hosts, \"{}\" being called so through WireGuard, too ({}); "
                      "choose another",
                      use.name, other.name, right.place ? "see " + report_.where(*right.place) : "this host"));
    }
  }

 private:
  Report& report_;
  std::unordered_map<std::string, Use> uses_;
};

class Addresses {
 public:
  explicit Addresses(Report& report) : report_(report) {}

  void add(const std::vector<IpAddress>& addresses, const std::vector<Place>& places, const std::string& path) {
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      const auto [found, is_new] = uses_.emplace(addresses[i], Use{.place = places[i], .path = path});
      if (is_new) continue;
      report_.error(places[i], path,
                    fmt::format("{} is an address of {} already; give it to one of them", addresses[i].to_string(),
                                owner(found->second, report_)));
    }
  }

 private:
  Report& report_;
  std::unordered_map<IpAddress, Use, AddressHash> uses_;
};

void check_within_allowed_ips(const PeerEntry& entry, Report& report) {
  const auto& allowed = entry.peer.allowed_ips;
  for (std::size_t i = 0; i < entry.addresses.size(); ++i) {
    const IpAddress& address = entry.peer.addresses[i];
    if (std::ranges::any_of(allowed, [&](const model::IpPrefix& prefix) { return prefix.contains(address); })) continue;
    report.warning(entry.addresses[i], entry.key_path("addresses"),
                   fmt::format("{} lies in none of its allowed_ips, so that it is not reached through this peer",
                               address.to_string()));
  }
}

}  // namespace

void check_hosts(const Config& own, const OwnPlaces& places, const std::vector<PeerEntry>& peers,
                 const std::vector<HostEntry>& hosts, Report& report) {
  Names names(report);
  Addresses addresses(report);
  names.add({.name = own.name, .place = places.name, .path = "name"});
  addresses.add(own.hosts.own.addresses, places.addresses, "production.addresses");
  addresses.add(own.hosts.own.lan_addresses, places.lan_addresses, "lan_addresses");
  for (const PeerEntry& entry : peers) {
    if (entry.name) {
      names.add({.name = entry.peer.name, .place = entry.name, .path = entry.key_path("name"), .of_peer = true});
    }
    addresses.add(entry.peer.addresses, entry.addresses, entry.key_path("addresses"));
    addresses.add(entry.peer.lan_addresses, entry.lan_addresses, entry.key_path("lan_addresses"));
    check_within_allowed_ips(entry, report);
  }
  for (const HostEntry& entry : hosts) {
    if (entry.name) names.add({.name = entry.host.name, .place = entry.name, .path = entry.key_path("name")});
    addresses.add(entry.host.addresses, entry.addresses, entry.key_path("addresses"));
    addresses.add(entry.host.lan_addresses, entry.lan_addresses, entry.key_path("lan_addresses"));
  }
  names.check_wireguard_names();
}

void derive_addresses(const Config& own, std::vector<PeerEntry>& peers, const std::vector<HostEntry>& hosts) {
  // How many claim each: servers of one group may share the addresses that they stand in for.
  std::unordered_map<IpAddress, std::size_t, AddressHash> claims;
  const auto claim = [&claims](const std::vector<IpAddress>& addresses) {
    for (const IpAddress& address : addresses) ++claims[address];
  };
  const auto for_each_single = [](const PeerEntry& entry, const std::function<void(const IpAddress&)>& visit) {
    for (const model::IpPrefix& prefix : entry.peer.allowed_ips) {
      const IpAddress& address = prefix.address();
      if (prefix.length() == address.bits() && can_name_a_host(address)) visit(address);
    }
  };
  claim(own.hosts.own.addresses);
  claim(own.hosts.own.lan_addresses);
  for (const HostEntry& entry : hosts) {
    claim(entry.host.addresses);
    claim(entry.host.lan_addresses);
  }
  for (const PeerEntry& entry : peers) {
    claim(entry.peer.addresses);
    claim(entry.peer.lan_addresses);
    if (!entry.has_addresses) for_each_single(entry, [&](const IpAddress& address) { ++claims[address]; });
  }
  for (PeerEntry& entry : peers) {
    if (entry.has_addresses) continue;
    for_each_single(entry, [&](const IpAddress& address) {
      if (claims[address] == 1) entry.peer.addresses.push_back(address);
    });
  }
}

}  // namespace anubis::config

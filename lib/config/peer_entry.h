// A [[peer]] as it stands in a file: what it says, and where it says it. Internal to lib/config.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/config/document.h"
#include "lib/config/name.h"
#include "lib/config/report.h"
#include "lib/config/section.h"
#include "lib/model/ip.h"
#include "lib/model/peer.h"

namespace anubis::config {

struct PeerEntry {
  model::Peer peer;
  std::string_view kind = "peer";
  std::uint32_t number = 0;    // within its file, from 1
  bool has_addresses = false;  // says which they are; else they follow from its allowed IPs
  bool nested = false;         // its allowed IPs may lie inside another peer's
  // Where the valid values stand; those without a place are not to be compared with others.
  std::optional<Place> name;
  std::optional<Place> public_key;
  std::optional<Place> side_public_key;
  std::optional<Place> companion_key;
  std::optional<Place> side_address;
  std::optional<Place> endpoint;
  std::optional<Place> side_endpoint;
  std::optional<Place> preshared_key;
  std::optional<Place> side_preshared_key;
  std::optional<Place> production_preshared_key;
  std::vector<Place> allowed_ips;  // as many as in peer
  std::vector<Place> addresses;    // the same
  std::vector<Place> lan_addresses;

  // "peer[2].public_key"
  [[nodiscard]] std::string key_path(std::string_view key) const;
};

// An [[invitation]]: a peer that may only enrol, named as the peer to be, with the allowed IPs that that one will have;
// and what else it says. Internal to lib/config, as all here.
struct Invited {
  PeerEntry entry;
  Invitation invitation;
};

// What of the rest of the configuration a peer is read by.
struct PeerContext {
  std::filesystem::path folder;  // that relative key files are relative to
  model::IpPrefix side_prefix;
  bool main_table = false;  // routes go to the main table
  bool firewall = true;     // there is one of ours
  bool companion = false;   // its page is served
};

// A list of UDP ports: at most eight, each once.
[[nodiscard]] std::vector<Located<std::uint16_t>> read_ports(Section& section, std::string_view key);

[[nodiscard]] Invited read_invitation(const Table& table, std::uint32_t number, const PeerContext& context,
                                      Report& report);
[[nodiscard]] PeerEntry read_peer(const Table& table, std::uint32_t number, const PeerContext& context, Report& report);

}  // namespace anubis::config

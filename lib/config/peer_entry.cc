#include "lib/config/peer_entry.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "lib/base/duration.h"
#include "lib/config/config.h"
#include "lib/config/host_entry.h"
#include "lib/config/key_file.h"
#include "lib/config/section.h"
#include "lib/config/side_address.h"
#include "lib/config/values.h"

namespace anubis::config {
namespace {

using base::ErrorCode;
using base::fail;
using model::HostPort;
using model::InterfaceAddress;
using model::IpAddress;
using model::IpPrefix;

base::Status check_range(const IpPrefix& range, const PeerContext& context) {
  if (!range.is_default_route() || !context.main_table) return check_allowed_ip(range, context.side_prefix);
  return fail(ErrorCode::kInvalid,
              range.to_string() +
                  " cannot go into the main table: it would take the packets that bear the tunnel into the tunnel; "
                  "give production.table a number of its own");
}

void read_allowed_ips(Section& section, const PeerContext& context, PeerEntry& entry) {
  const auto parse = [&](std::string_view text) -> base::Result<InterfaceAddress> {
    auto parsed = InterfaceAddress::parse(text);
    if (!parsed) return parsed;
    if (auto status = check_range(IpPrefix(parsed->address, parsed->length), context); !status)
      return fail(status.error());
    return parsed;
  };
  for (const auto& [range, place] : section.parsed_all("allowed_ips", parse)) {
    const IpPrefix prefix(range.address, range.length);
    if (prefix.address() != range.address) {
      section.warning(place, "allowed_ips",
                      fmt::format("{} means {}; write that", range.to_string(), prefix.to_string()));
    }
    entry.peer.allowed_ips.push_back(prefix);
    entry.allowed_ips.push_back(place);
  }
}

// One WireGuard interface, one key.
void read_keys(Section& section, PeerEntry& entry) {
  section.require("public_key", "it is the peer's production public key");
  if (const auto key = section.parsed("public_key", crypto::parse_public_key)) {
    entry.peer.public_key = crypto::ProductionPublicKey(key->value);
    entry.public_key = key->place;
  }
  if (entry.peer.is_plain && !section.has("side_public_key")) {
    entry.peer.side_public_key = crypto::SidePublicKey(entry.peer.public_key);
    entry.side_public_key = entry.public_key;
    return;
  }
  section.require("side_public_key",
                  "it is the public key of the peer's side interface; if no Anubis runs there, write plain = true");
  if (const auto key = section.parsed("side_public_key", crypto::parse_public_key)) {
    entry.peer.side_public_key = crypto::SidePublicKey(key->value);
    entry.side_public_key = key->place;
  }
}

// What Anubis does together with the peer's own does not exist with a plain one.
void check_plain(Section& section, const PeerEntry& entry) {
  if (!entry.peer.is_plain) return;
  for (const std::string_view key : {"preshared_key_file", "endpoint_ports", "fail_over"}) {
    if (!section.has(key)) continue;
    section.error(section.value(key)->place, key,
                  "needs an Anubis at the other end, and plain = true says that there is none");
  }
}

void read_endpoints(Section& section, const PeerContext& context, PeerEntry& entry) {
  const auto parse = [&](std::string_view text) { return parse_endpoint(text, context.side_prefix); };
  if (auto endpoint = section.parsed("endpoint", parse)) {
    entry.endpoint = endpoint->place;
    if (!entry.peer.is_plain) entry.peer.side_endpoint = HostPort{endpoint->value.host, kDefaultSidePort};
    if (!endpoint->value.port) endpoint->value.port = kDefaultProductionPort;
    entry.peer.endpoint = std::move(endpoint->value);
  }
  if (auto endpoint = section.parsed("side_endpoint", parse)) {
    entry.side_endpoint = endpoint->place;
    if (!endpoint->value.port) endpoint->value.port = kDefaultSidePort;
    entry.peer.side_endpoint = std::move(endpoint->value);
  }
  if (entry.peer.endpoint && entry.peer.endpoint == entry.peer.side_endpoint) {
    section.error(entry.side_endpoint.value_or(*entry.endpoint), entry.side_endpoint ? "side_endpoint" : "endpoint",
                  fmt::format("{} would be both the production and the side endpoint; they need different ports",
                              entry.peer.endpoint->to_string()));
  }
}

void read_endpoint_ports(Section& section, PeerEntry& entry) {
  constexpr std::string_view kKey = "endpoint_ports";
  for (const auto& port : read_ports(section, kKey)) {
    if (!entry.peer.side_endpoint) {
      return section.error(port.place, kKey, "needs an endpoint: there is no host to try these ports of");
    }
    for (const auto& configured : {entry.peer.endpoint, entry.peer.side_endpoint}) {
      if (configured && configured->port == port.value)
        section.error(port.place, kKey,
                      fmt::format("{} is the port of {} already; take it out", port.value, configured->to_string()));
    }
    entry.peer.endpoint_ports.push_back(port.value);
  }
}

void read_side_address(Section& section, const PeerContext& context, PeerEntry& entry) {
  if (const auto address = section.parsed("side_address", parse_side_address)) {
    entry.peer.side_address = address->value;
    entry.side_address = address->place;
  } else if (!section.has("side_address") && entry.side_public_key) {
    entry.peer.side_address = derive_side_address(entry.peer.side_public_key, context.side_prefix);
    entry.side_address = entry.side_public_key;
  }
}

void read_companion_key(Section& section, const PeerContext& context, PeerEntry& entry) {
  constexpr std::string_view kKey = "companion_key";
  const auto key = section.parsed(kKey, crypto::parse_public_key);
  if (!key) return;
  entry.peer.companion_key = crypto::CompanionPublicKey(key->value);
  entry.companion_key = key->place;
  if (context.companion) return;
  section.warning(key->place, kKey,
                  "has no effect: the companion page is not served; set enabled = true in [companion]");
}

void read_keepalive(Section& section, PeerEntry& entry) {
  constexpr std::string_view kKey = "persistent_keepalive";
  constexpr std::string_view kExpected = "a number of seconds, 0 to 65535, or \"off\"";
  const Value* value = section.value(kKey);
  if (value == nullptr) return;
  if (const auto* text = std::get_if<std::string>(&value->data)) {
    if (*text != "off") section.error(value->place, kKey, fmt::format("must be {}", kExpected));
  } else if (!std::holds_alternative<std::int64_t>(value->data)) {
    section.error_type(*value, kKey, kExpected);
  } else if (const auto seconds = section.integer(kKey, 0, std::numeric_limits<std::uint16_t>::max())) {
    entry.peer.persistent_keepalive = static_cast<std::uint16_t>(seconds->value);
  }
}

// F37
void read_never_clear(Section& section, const PeerContext& context, PeerEntry& entry) {
  constexpr std::string_view kKey = "never_clear";
  entry.peer.never_clear = section.boolean(kKey).value_or(false);
  if (!entry.peer.never_clear) return;
  const Place place = section.value(kKey)->place;
  if (!context.firewall) {
    section.error(place, kKey,
                  "needs the firewall, which enabled = false in [firewall] leaves out; take one of them out");
  }
  const auto& endpoint = entry.peer.endpoint;
  const bool is_all = std::ranges::any_of(entry.peer.allowed_ips, &IpPrefix::is_default_route);
  if (is_all && endpoint && !endpoint->literal()) {
    section.warning(
        place, kKey,
        fmt::format("while this peer is down, nobody can be asked for the address of its endpoint {}, as all "
                    "goes through it or not at all; write its address, or name the name server in "
                    "production.throw",
                    endpoint->host));
  }
}

template <class Key>
void read_preshared_key(Section& section, std::string_view key, const PeerContext& context,
                        std::shared_ptr<const Key>& preshared_key, std::optional<Place>& place) {
  const auto file = section.text(key);
  if (!file) return;
  auto secret = read_secret_file(context.folder / file->value);
  if (!secret) return section.error(file->place, key, secret.error().message);
  preshared_key = std::make_shared<const Key>(std::move(*secret));
  place = file->place;
}

base::Result<base::Duration> parse_time_to_live(std::string_view text) {
  auto time = base::parse_duration(text);
  if (time && *time == base::Duration::zero()) {
    return fail(ErrorCode::kInvalid, "is over at once; leave the key out for a session that lasts until down");
  }
  return time;
}

void read_fail_over(Section& section, PeerEntry& entry) {
  entry.peer.fails_over = section.boolean("fail_over").value_or(false);
  if (entry.peer.fails_over && entry.peer.group.empty()) {
    section.error(section.place(), "fail_over", "needs a group: the peers that stand in for this one carry the same");
  }
  const auto fail_back = section.parsed("fail_back", base::parse_duration);
  if (!fail_back) return;
  entry.peer.fail_back = fail_back->value;
  if (!entry.peer.fails_over) section.error(fail_back->place, "fail_back", "has no meaning without fail_over = true");
}

}  // namespace

std::string PeerEntry::key_path(std::string_view key) const { return fmt::format("{}[{}].{}", kind, number, key); }

std::vector<Located<std::uint16_t>> read_ports(Section& section, std::string_view key) {
  constexpr std::size_t kMost = 8;
  std::vector<Located<std::uint16_t>> ports;
  for (const auto& number : section.integers(key, 1, std::numeric_limits<std::uint16_t>::max())) {
    const auto port = static_cast<std::uint16_t>(number.value);
    if (std::ranges::find(ports, port, &Located<std::uint16_t>::value) != ports.end()) {
      section.error(number.place, key, fmt::format("{} stands there twice; take one out", port));
    } else if (ports.size() == kMost) {
      section.error(number.place, key, fmt::format("there are more than {} ports; choose among them", kMost));
      break;
    } else {
      ports.push_back({port, number.place});
    }
  }
  return ports;
}

Invited read_invitation(const Table& table, std::uint32_t number, const PeerContext& context, Report& report) {
  Section section(table, fmt::format("invitation[{}]", number), report);
  Invited invited;
  PeerEntry& entry = invited.entry;
  entry.kind = "invitation";
  entry.number = number;
  entry.peer.is_invitation = true;
  entry.has_addresses = true;  // none
  constexpr std::string_view kWhoMakesIt = "`anubis invite` makes it";
  for (const char* key : {"name", "public_key", "side_public_key", "proof_key", "expires", "allowed_ips"}) {
    section.require(key, kWhoMakesIt);
  }
  if (auto name = section.parsed("name", parse_name)) {
    entry.peer.name = std::move(name->value);
    entry.name = name->place;
  }
  if (const auto key = section.parsed("public_key", crypto::parse_public_key)) {
    entry.peer.public_key = crypto::ProductionPublicKey(key->value);
    entry.public_key = key->place;
  }
  if (const auto key = section.parsed("side_public_key", crypto::parse_public_key)) {
    entry.peer.side_public_key = crypto::SidePublicKey(key->value);
    entry.side_public_key = key->place;
    entry.peer.side_address = derive_side_address(entry.peer.side_public_key, context.side_prefix);
    entry.side_address = key->place;
  }
  if (const auto key = section.parsed("proof_key", crypto::parse_proof_key)) invited.invitation.proof_key = key->value;
  if (const auto expires = section.integer("expires", 1, std::numeric_limits<std::int64_t>::max())) {
    invited.invitation.expires = expires->value;
  }
  invited.invitation.is_used = section.boolean("used").value_or(false);
  read_allowed_ips(section, context, entry);
  section.finish();
  invited.invitation.name = entry.peer.name;
  invited.invitation.public_key = entry.peer.public_key;
  invited.invitation.allowed_ips = entry.peer.allowed_ips;
  return invited;
}

PeerEntry read_peer(const Table& table, std::uint32_t number, const PeerContext& context, Report& report) {
  Section section(table, fmt::format("peer[{}]", number), report);
  PeerEntry entry;
  entry.number = number;

  section.require("name", "say what to call this peer, as in: anubis up NAME");
  if (auto name = section.parsed("name", parse_name)) {
    entry.peer.name = std::move(name->value);
    entry.name = name->place;
  }
  entry.peer.is_plain = section.boolean("plain").value_or(false);
  read_keys(section, entry);
  read_companion_key(section, context, entry);
  read_side_address(section, context, entry);
  read_endpoints(section, context, entry);
  read_endpoint_ports(section, entry);
  read_allowed_ips(section, context, entry);
  read_host_addresses(section, "addresses", context.side_prefix, entry.peer.addresses, entry.addresses);
  read_host_addresses(section, "lan_addresses", context.side_prefix, entry.peer.lan_addresses, entry.lan_addresses);
  entry.has_addresses = section.has("addresses");
  entry.nested = section.boolean("nested").value_or(false);
  read_keepalive(section, entry);
  read_never_clear(section, context, entry);
  read_preshared_key(section, "preshared_key_file", context, entry.peer.preshared_key, entry.preshared_key);
  read_preshared_key(section, "side_preshared_key_file", context, entry.peer.side_preshared_key,
                     entry.side_preshared_key);
  read_preshared_key(section, "production_preshared_key_file", context, entry.peer.production_preshared_key,
                     entry.production_preshared_key);
  if (entry.production_preshared_key && !entry.peer.is_plain) {
    section.error(*entry.production_preshared_key, "production_preshared_key_file",
                  "is for peers with plain = true; with others each session has a fresh one");
  }
  if (const auto lease = section.parsed("lease", parse_time_to_live)) entry.peer.lease = lease->value;
  if (const auto idle = section.parsed("idle_timeout", parse_time_to_live)) entry.peer.idle_timeout = idle->value;
  entry.peer.is_automatic = section.boolean("auto").value_or(false);
  if (auto group = section.parsed("group", parse_name)) entry.peer.group = std::move(group->value);
  read_fail_over(section, entry);
  check_plain(section, entry);
  section.finish();
  return entry;
}

}  // namespace anubis::config

#include "lib/config/config.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/duration.h"
#include "lib/config/check.h"
#include "lib/config/document.h"
#include "lib/config/file.h"
#include "lib/config/firewall.h"
#include "lib/config/host_entry.h"
#include "lib/config/key_file.h"
#include "lib/config/metrics.h"
#include "lib/config/peer_entry.h"
#include "lib/config/report.h"
#include "lib/config/roaming.h"
#include "lib/config/section.h"
#include "lib/config/side_address.h"
#include "lib/config/suite_policy.h"
#include "lib/config/values.h"

namespace anubis::config {
namespace {

using base::ErrorCode;
using base::fail;
using model::InterfaceAddress;
using model::IpPrefix;

// The whole host waits for it when it is switched off.
base::Result<base::Duration> parse_stop_timeout(std::string_view text) {
  constexpr base::Duration kLongest = std::chrono::minutes(1);
  auto timeout = base::parse_duration(text);
  if (timeout && *timeout > kLongest) {
    return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is longer than a minute, and the host waits for it when it is "
                                                 "switched off",
                                                 text));
  }
  return timeout;
}

base::Result<Backend> parse_backend(std::string_view text) {
  if (text == "auto") return Backend::kAuto;
  if (text == "kernel") return Backend::kKernel;
  if (text == "userspace") return Backend::kUserspace;
  return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is no backend: auto, kernel or userspace", text));
}

base::Result<std::filesystem::path> parse_socket(std::string_view text) {
  constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
  if (!text.starts_with('/') || text.size() > kMaxPath) {
    return fail(ErrorCode::kInvalid, fmt::format("must be an absolute path of at most {} bytes", kMaxPath));
  }
  return std::filesystem::path(text);
}

std::optional<Located<base::Secret<crypto::kKeySize>>> read_private_key(Section& section,
                                                                        const std::filesystem::path& folder) {
  constexpr std::string_view kKey = "private_key_file";
  section.require(kKey, "name the file that holds the private key, which `wg genkey` makes");
  return section.parsed(kKey, [&](std::string_view file) { return read_secret_file(folder / file); });
}

// The place, where the file says it.
std::optional<Place> read_port(Section& section, std::string_view key, std::uint16_t& port) {
  const auto number = section.integer(key, 1, std::numeric_limits<std::uint16_t>::max());
  if (!number) return std::nullopt;
  port = static_cast<std::uint16_t>(number->value);
  return number->place;
}

std::optional<Place> read_interface(Section& section, std::string& interface) {
  auto name = section.parsed("interface", parse_interface);
  if (!name) return std::nullopt;
  interface = std::move(name->value);
  return name->place;
}

// A value that two keys must not share.
struct Single {
  std::string_view key;
  std::string value;
  std::optional<Place> place;  // none: the default
};

// The defaults differ, so that one of two equal values has a place.
void check_different(const Single& a, const Single& b, Report& report) {
  if (a.value != b.value || (!a.place && !b.place)) return;
  const Single& wrong = b.place ? b : a;
  report.error(*wrong.place, wrong.key,
               fmt::format("is {}, as {} is; choose another", wrong.value, b.place ? a.key : b.key));
}

void read_table(Section& section, Production& production) {
  constexpr std::string_view kKey = "table";
  constexpr std::string_view kExpected = "a number or \"main\"";
  const Value* value = section.value(kKey);
  if (value == nullptr) return;
  if (const auto* text = std::get_if<std::string>(&value->data)) {
    if (*text != "main") return section.error(value->place, kKey, fmt::format("must be {}", kExpected));
    production.table = kMainTable;
  } else if (!std::holds_alternative<std::int64_t>(value->data)) {
    section.error_type(*value, kKey, kExpected);
  } else if (const auto number = section.integer(kKey, 1, std::numeric_limits<std::uint32_t>::max())) {
    constexpr std::int64_t kDefault = 253;  // RT_TABLE_DEFAULT
    constexpr std::int64_t kLocal = 255;    // RT_TABLE_LOCAL
    if (number->value >= kDefault && number->value <= kLocal) {
      return section.error(number->place, kKey,
                           fmt::format("is {}, a table of the system; write \"main\" for the main table, or the number "
                                       "of one that nobody uses",
                                       number->value));
    }
    production.table = static_cast<std::uint32_t>(number->value);
  }
}

// One load: the files, what they say and what is wrong with it.
class Loader {
 public:
  explicit Loader(const std::filesystem::path& file) : main_file_(file), folder_(file.parent_path()) {}

  base::Result<Config> load() {
    if (auto document = read_document(main_file_)) {
      read_main(*document);
      read_conf_d();
      add_invitations();
      check_identities(config_, places_, entries_, report_);
      check_allowed_ips(config_, places_, entries_, report_);
      check_hosts(config_, places_, entries_, hosts_, report_);
    }
    if (report_.has_errors()) return fail(report_.take_error());
    config_.warnings = report_.take_warnings();
    derive_addresses(config_, entries_, hosts_);
    for (HostEntry& entry : hosts_) config_.hosts.others.push_back(std::move(entry.host));
    config_.peers.reserve(entries_.size());
    for (PeerEntry& entry : entries_) {
      if (entry.peer.is_invitation) {  // what it will have it has not yet
        entry.peer.name += kInvitationSuffix;
        entry.peer.allowed_ips.clear();
      }
      config_.peers.push_back(std::move(entry.peer));
    }
    return std::move(config_);
  }

 private:
  std::optional<Table> read_document(const std::filesystem::path& file) {
    const auto number = report_.add_file(file.string());
    const auto text = read_file(file, report_);
    if (!text) {
      report_.error(text.error());
      return std::nullopt;
    }
    auto document = parse_document(*text, number, report_);
    if (document) document->place = {number, 1, 1};
    return document;
  }

  void read_main(const Table& document) {
    Section section(document, "", report_);
    read_name(section);
    if (auto group = section.parsed("group", parse_name)) config_.group = std::move(group->value);
    config_.suites = read_suites(section, crypto::is_available);
    const Table absent{document.place, {}};
    const auto or_absent = [&](const Table* table) -> const Table& { return table != nullptr ? *table : absent; };
    read_production(or_absent(section.table("production")));
    read_side(or_absent(section.table("side")));
    read_endpoint(section);
    read_companion(or_absent(section.table("companion")));
    read_control(or_absent(section.table("control")));
    Section roaming(or_absent(section.table("roaming")), "roaming", report_);
    config_.roaming = read_roaming(roaming);
    Section metrics(or_absent(section.table("metrics")), "metrics", report_);
    config_.metrics = read_metrics(metrics);
    read_host_addresses(section, "lan_addresses", config_.side.prefix, config_.hosts.own.lan_addresses,
                        places_.lan_addresses);
    Section firewall(or_absent(section.table("firewall")), "firewall", report_);
    config_.firewall = read_firewall(firewall, config_.side.prefix);
    read_also_listen(section);
    read_peers(section);
    read_hosts(section);
    section.finish();
  }

  void read_name(Section& section) {
    if (auto name = section.parsed("name", parse_name)) {
      config_.name = std::move(name->value);
      places_.name = name->place;
    } else if (!section.has("name")) {
      std::array<char, 256> host{};
      gethostname(host.data(), host.size() - 1);  // cannot fail: HOST_NAME_MAX is 64
      auto parsed = parse_name(host.data());
      if (!parsed) {
        return section.error(section.place(), "name",
                             "is missing, and the system's host name " + parsed.error().message);
      }
      config_.name = std::move(*parsed);
    }
    config_.hosts.own.name = config_.name;
  }

  void read_production(const Table& table) {
    Section section(table, "production", report_);
    Production& production = config_.production;
    production_interface_ = read_interface(section, production.interface);
    if (auto key = read_private_key(section, folder_)) {
      production.private_key = crypto::ProductionPrivateKey(std::move(key->value));
      production.public_key = production.private_key.public_key();
      places_.production_key = key->place;
    }
    production_port_ = read_port(section, "listen_port", production.listen_port);
    for (const auto& each : section.parsed_all("addresses", InterfaceAddress::parse)) {
      production.addresses.push_back(each.value);
      config_.hosts.own.addresses.push_back(each.value.address);
      places_.addresses.push_back(each.place);
    }
    read_table(section, production);
    for (const auto& [range, place] : section.parsed_all("throw", IpPrefix::parse)) {
      if (range.is_default_route()) {
        section.error(place, "throw", range.to_string() + " would keep everything out of WireGuard; take it out");
      }
      production.throw_ranges.push_back(range);
    }
    for (const auto& [range, place] : section.parsed_all("direct", IpPrefix::parse)) {
      if (range.is_default_route()) {
        section.error(place, "direct", range.to_string() + " is no link's range; name the one of your LAN");
      }
      production.direct_ranges.push_back(range);
    }
    constexpr std::int64_t kMinMtu = 1280;  // RFC 8200, section 5
    if (const auto mtu = section.integer("mtu", kMinMtu, 65'535))
      production.mtu = static_cast<std::uint32_t>(mtu->value);
    if (const auto mark = section.integer("fwmark", 0, std::numeric_limits<std::uint32_t>::max()))
      production.fwmark = static_cast<std::uint32_t>(mark->value);
    if (const auto backend = section.parsed("backend", parse_backend)) production.backend = backend->value;
    section.finish();
  }

  void read_side(const Table& table) {
    Section section(table, "side", report_);
    Side& side = config_.side;
    const auto interface = read_interface(section, side.interface);
    const auto prefix = section.parsed("prefix", parse_side_prefix);
    side.prefix = prefix ? prefix->value : default_side_prefix();
    if (auto key = read_private_key(section, folder_)) {
      side.private_key = crypto::SidePrivateKey(std::move(key->value));
      side.public_key = side.private_key.public_key();
      places_.side_key = key->place;
    }
    if (const auto address = section.parsed("address", parse_side_address)) {
      side.address = address->value;
      places_.side_address = address->place;
    } else if (!section.has("address") && places_.side_key) {
      side.address = derive_side_address(side.public_key, side.prefix);
      places_.side_address = places_.side_key;
    }
    const auto port = read_port(section, "listen_port", side.listen_port);
    const auto service_port = read_port(section, "service_port", side.service_port);
    section.finish();

    const Production& production = config_.production;
    check_different({"production.interface", production.interface, production_interface_},
                    {"side.interface", side.interface, interface}, report_);
    const Single ports[] = {
        {"production.listen_port", std::to_string(production.listen_port), production_port_},
        {"side.listen_port", std::to_string(side.listen_port), port},
        {"side.service_port", std::to_string(side.service_port), service_port},
    };
    check_different(ports[0], ports[1], report_);
    check_different(ports[0], ports[2], report_);
    check_different(ports[1], ports[2], report_);
    check_addresses();
  }

  void check_addresses() {
    const Production& production = config_.production;
    const IpPrefix& prefix = config_.side.prefix;
    for (std::size_t i = 0; i < production.addresses.size(); ++i) {
      const InterfaceAddress& address = production.addresses[i];
      if (!prefix.overlaps(IpPrefix(address.address, address.length))) continue;
      report_.error(places_.addresses[i], "production.addresses",
                    fmt::format("{} overlaps the side prefix {}, which is for Anubis alone; take another or set "
                                "side.prefix to another, on every host",
                                address.to_string(), prefix.to_string()));
    }
  }

  void read_endpoint(Section& section) {
    const auto parse = [this](std::string_view text) { return parse_endpoint(text, config_.side.prefix); };
    auto endpoint = section.parsed("endpoint", parse);
    if (!endpoint) return;
    if (!endpoint->value.port) endpoint->value.port = config_.production.listen_port;
    config_.endpoint = std::move(endpoint->value);
  }

  void read_companion(const Table& table) {
    Section section(table, "companion", report_);
    config_.companion.enabled = section.boolean("enabled").value_or(false);
    (void)read_port(section, "port", config_.companion.port);
    section.finish();
  }

  void read_control(const Table& table) {
    Section section(table, "control", report_);
    if (auto socket = section.parsed("socket", parse_socket)) config_.control.socket = std::move(socket->value);
    if (const auto group = section.text("group")) config_.control.group = group->value;
    if (const auto timeout = section.parsed("stop_timeout", parse_stop_timeout)) {
      config_.control.stop_timeout = timeout->value;
    }
    section.finish();
  }

  void read_also_listen(Section& section) {
    constexpr std::string_view kKey = "also_listen";
    for (const auto& [port, place] : read_ports(section, kKey)) {
      if (!config_.firewall.enabled) {
        return report_.error(place, kKey,
                             "is done by rules of the firewall, which firewall.enabled = false switches off; take out "
                             "one of the two");
      }
      for (const std::uint16_t own :
           {config_.production.listen_port, config_.side.listen_port, config_.side.service_port}) {
        if (port == own) report_.error(place, kKey, fmt::format("{} is a port of ours already; take it out", port));
      }
      config_.also_listen.push_back(port);
    }
  }

  [[nodiscard]] PeerContext peer_context() const {
    return {folder_, config_.side.prefix, config_.production.table == kMainTable, config_.firewall.enabled,
            config_.companion.enabled};
  }

  void read_peers(Section& section) {
    std::uint32_t number = 0;
    for (const Table* table : section.tables("peer")) {
      entries_.push_back(read_peer(*table, ++number, peer_context(), report_));
    }
  }

  void read_invitations(Section& section, const std::filesystem::path& file) {
    std::uint32_t number = 0;
    for (const Table* table : section.tables("invitation")) {
      invited_.push_back(read_invitation(*table, ++number, peer_context(), report_));
      invited_.back().invitation.file = file;
    }
  }

  // As peers like all others, so that they are compared with them. Where the host has joined, the name and the allowed
  // IPs are the peer's. Of one that was used, and whose peer has gone, nothing is left.
  void add_invitations() {
    std::unordered_set<std::string> names;
    for (const PeerEntry& entry : entries_) names.insert(entry.peer.name);
    for (Invited& invited : invited_) {
      PeerEntry& entry = invited.entry;
      if (names.contains(entry.peer.name)) {
        entry.name.reset();
        entry.peer.allowed_ips.clear();
        entry.allowed_ips.clear();
      } else if (invited.invitation.is_used) {
        continue;  // whoever joined by it is no peer any more
      }
      entries_.push_back(std::move(entry));
      config_.invitations.push_back(std::move(invited.invitation));
    }
  }

  void read_hosts(Section& section) {
    std::uint32_t number = 0;
    for (const Table* table : section.tables("host")) {
      hosts_.push_back(read_host(*table, ++number, config_.side.prefix, report_));
    }
  }

  void read_conf_d() {
    const auto files = list_toml_files(folder_ / "conf.d", report_);
    if (!files) return report_.error(files.error());
    for (const auto& file : *files) {
      const auto document = read_document(file);
      if (!document) continue;
      Section section(*document, "", report_);
      read_peers(section);
      read_hosts(section);
      read_invitations(section, file);
      section.finish("only [[peer]], [[host]] and [[invitation]] may stand in conf.d; move it to " +
                     main_file_.string());
    }
  }

  const std::filesystem::path main_file_;
  const std::filesystem::path folder_;
  Report report_;
  Config config_;
  OwnPlaces places_;
  std::optional<Place> production_interface_;
  std::optional<Place> production_port_;
  std::vector<PeerEntry> entries_;
  std::vector<Invited> invited_;
  std::vector<HostEntry> hosts_;
};

}  // namespace

base::Result<Config> load(const std::filesystem::path& file) { return Loader(file).load(); }

}  // namespace anubis::config

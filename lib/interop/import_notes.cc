#include "lib/interop/import_notes.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include <fmt/format.h>

#include "lib/config/config.h"
#include "lib/interop/import_ranges.h"

namespace anubis::interop {
namespace {

using config::WgQuickFile;
using config::WgQuickInterface;
using config::WgQuickScript;
using config::WgQuickTable;
using model::Family;
using model::IpPrefix;
using Notes = std::vector<std::string>;

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words,
                             [text](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

bool masquerades(std::string_view command) { return has_any(command, {"MASQUERADE", "masquerade"}); }
bool forwards(std::string_view command) { return has_any(command, {"ip_forward", "forwarding"}); }
// What has not the tunnel's mark goes nowhere.
bool is_kill_switch(std::string_view command) {
  return has_any(command, {"fwmark"}) && has_any(command, {"REJECT", "reject", "DROP", "drop"});
}
bool adds_rule(std::string_view command) { return has_any(command, {"rule add"}); }

// "line 7", "lines 7 and 9": of the scripts for which `is_it` holds, but for those that undo it.
std::string lines_of(const std::vector<WgQuickScript>& scripts, bool (*is_it)(std::string_view)) {
  std::vector<std::uint32_t> lines;
  for (const WgQuickScript& script : scripts) {
    if (script.key.ends_with("Up") && is_it(script.command)) lines.push_back(script.line);
  }
  if (lines.empty()) return {};
  std::string text = fmt::format("{} {}", lines.size() == 1 ? "line" : "lines", lines.front());
  for (std::size_t i = 1; i < lines.size(); ++i)
    text += fmt::format("{}{}", i + 1 == lines.size() ? " and " : ", ", lines[i]);
  return text;
}

void note_scripts(const std::vector<WgQuickScript>& scripts, const std::vector<std::string>& names, Notes& notes) {
  if (scripts.empty()) return;
  std::string keys;
  std::size_t count = 0;
  for (const std::string_view key : {"PreUp", "PostUp", "PreDown", "PostDown"}) {
    if (std::ranges::find(scripts, key, &WgQuickScript::key) == scripts.end()) continue;
    keys.append(count++ == 0 ? "" : ", ").append(key);
  }
  notes.push_back(
      fmt::format("{} {} not run by Anubis: what was done there, do elsewhere", keys, count == 1 ? "is" : "are"));
  const auto any = [&](bool (*is_it)(std::string_view)) {
    return std::ranges::any_of(scripts, [&](const WgQuickScript& script) { return is_it(script.command); });
  };
  if (any(masquerades))
    notes.emplace_back("they masquerade: Anubis does it, too, with masquerade = [\"RANGE\"] in [firewall]");
  if (any(forwards)) notes.emplace_back("they switch forwarding on: do that in /etc/sysctl.d");
  if (const auto lines = lines_of(scripts, is_kill_switch); !lines.empty()) {
    notes.push_back(fmt::format(
        "the kill switch in {} is gone after the next boot: Anubis' own is never_clear = true in conf.d/{}.toml, and "
        "throw in [production] names what is reachable beside it, such as your LAN",
        lines, names.size() == 1 ? names.front() : "NAME"));
  }
  if (const auto lines = lines_of(scripts, adds_rule); !lines.empty()) {
    notes.push_back(fmt::format(
        "the routing rules of {} come after Anubis', unless their priority is below 21400: what they keep out of the "
        "tunnel, say in [production] throw or direct",
        lines));
  }
}

void note_dns(const WgQuickInterface& interface, const std::string& name, Notes& notes) {
  const auto command = [&](std::string_view what, const auto& values, const auto& format) {
    std::string text = fmt::format("resolvectl {} {}", what, name);
    for (const auto& value : values) text.append(" ").append(format(value));
    return values.empty() ? "" : text;
  };
  const std::string servers =
      command("dns", interface.dns_servers, [](const model::IpAddress& address) { return address.to_string(); });
  const std::string domains = command("domain", interface.dns_search, [](const std::string& domain) { return domain; });
  if (servers.empty() && domains.empty()) return;
  notes.push_back(fmt::format("DNS is not set by Anubis: {}{}{}, for example, or in your network manager", servers,
                              servers.empty() || domains.empty() ? "" : " and ", domains));
}

void note_table(const WgQuickTable& table, Notes& notes) {
  switch (table.kind) {
    case WgQuickTable::Kind::kAuto:
      return;
    case WgQuickTable::Kind::kOff:
      notes.push_back(
          fmt::format("Table = off: Anubis makes routes all the same, to the allowed IPs of peers that are up, in "
                      "its own table {}",
                      config::kDefaultTable));
      return;
    case WgQuickTable::Kind::kNumber:
      notes.push_back(
          fmt::format("Table = {}: Anubis' routes are in its own table {}; if rules of yours look into {}, change "
                      "them",
                      table.number, config::kDefaultTable, table.number));
      return;
  }
}

void note_wide_ranges(const WgQuickFile& file, const std::string& interface, Notes& notes) {
  const auto direct = direct_ranges(file);
  std::string ranges;
  for (const IpPrefix& range : direct) ranges.append(ranges.empty() ? "" : ", ").append(range.to_string());
  if (!direct.empty()) {
    notes.push_back(fmt::format(
        "what this host has routes of its own to in {} goes there, and not through {}, as before (direct in "
        "[production]); your networks outside of these, and what it forwards, for containers or virtual machines, "
        "need their ranges in throw there",
        ranges, interface));
  }
  for (const Family family : {Family::kV4, Family::kV6}) {
    const bool is_all =
        std::ranges::any_of(file.peers, [family](const config::WgQuickPeer& peer) { return covers_all(peer, family); });
    if (!is_all || std::ranges::find(direct, family, &IpPrefix::family) != direct.end()) continue;
    const bool is_v4 = family == Family::kV4;
    notes.push_back(fmt::format(
        "{} has no {} address, and takes all of {}, your LAN's too: to keep that, name its range in [production], as "
        "in "
        "throw = [\"{}\"]",
        interface, is_v4 ? "IPv4" : "IPv6", is_v4 ? "IPv4" : "IPv6", is_v4 ? "192.168.1.0/24" : "fd00:1::/64"));
  }
}

}  // namespace

Notes notes_of_interface(const WgQuickFile& file, const std::vector<std::string>& names,
                         const ImportSettings& settings) {
  const WgQuickInterface& interface = file.interface;
  Notes notes;
  note_wide_ranges(file, settings.interface, notes);
  note_scripts(interface.scripts, names, notes);
  if (interface.save_config) {
    notes.push_back(
        fmt::format("SaveConfig means nothing to Anubis, which never writes what stands on an interface; wg-quick "
                    "down would write {} anew from it, so take that line out",
                    settings.file));
  }
  note_dns(interface, settings.interface, notes);
  note_table(interface.table, notes);
  if (interface.listen_port == 0) {
    notes.push_back(
        fmt::format("without ListenPort it was any port: it is {} from now on", config::kDefaultProductionPort));
  }
  return notes;
}

}  // namespace anubis::interop

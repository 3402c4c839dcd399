#include "lib/interop/import_check.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>

#include "lib/config/side_address.h"
#include "lib/config/values.h"
#include "lib/interop/import_ranges.h"

namespace anubis::interop {
namespace {

using config::WgQuickFile;
using config::WgQuickPeer;
using config::WgQuickTable;
using model::Family;
using model::IpPrefix;

class Checker {
 public:
  Checker(const WgQuickFile& file, const std::string& name)
      : file_(file), name_(name), own_public_key_(file.interface.private_key->derive_public_key()) {}

  base::Status check() {
    check_side_prefix();
    for (const WgQuickPeer& peer : file_.peers) {
      check_key(peer);
      check_ranges(peer);
      check_table(peer);
    }
    return faults_.empty() ? base::Status() : base::fail(base::ErrorCode::kInvalid, faults_);
  }

 private:
  void fault(std::uint32_t line, std::string_view key, std::string_view text) {
    faults_ += fmt::format("{}{}:{}: key {}: {}", faults_.empty() ? "" : "\n", name_, line, key, text);
  }

  void check_side_prefix() {
    if (const auto prefix = side_prefix_beside(file_)) {
      side_prefix_ = *prefix;
      return;
    }
    constexpr std::string_view kText =
        "leaves no range for Anubis' side addresses, a /16 within fc00::/7; write the ranges that are really there";
    const IpPrefix all = *IpPrefix::parse("fc00::/7");
    for (const WgQuickPeer& peer : file_.peers) {
      for (std::size_t i = 0; i < peer.allowed_ips.size(); ++i) {
        const IpPrefix& range = peer.allowed_ips[i];
        if (range.is_default_route() || range.length() >= 16 || !range.overlaps(all)) continue;
        fault(peer.allowed_ips_lines[i], "AllowedIPs", fmt::format("{} {}", range.to_string(), kText));
      }
    }
    for (std::size_t i = 0; i < file_.interface.addresses.size(); ++i) {
      const auto& address = file_.interface.addresses[i];
      if (address.length >= 16 || !all.overlaps(IpPrefix(address.address, address.length))) continue;
      fault(file_.interface.address_lines[i], "Address", fmt::format("{} {}", address.to_string(), kText));
    }
    if (faults_.empty()) faults_ = fmt::format("{}: its ranges together take all of fc00::/7, which {}", name_, kText);
  }

  void check_key(const WgQuickPeer& peer) {
    if (peer.public_key != own_public_key_) return;
    fault(peer.public_key_line, "PublicKey", "is of this host's own PrivateKey; put the peer's key here");
  }

  void check_ranges(const WgQuickPeer& peer) {
    for (std::size_t i = 0; i < peer.allowed_ips.size() && side_prefix_; ++i) {
      const auto status = config::check_allowed_ip(peer.allowed_ips[i], *side_prefix_);
      if (!status) fault(peer.allowed_ips_lines[i], "AllowedIPs", status.error().message);
    }
    if (!peer.endpoint || !side_prefix_) return;
    const auto endpoint = config::parse_endpoint(peer.endpoint->to_string(), *side_prefix_);
    if (!endpoint) fault(peer.endpoint_line, "Endpoint", endpoint.error().message);
  }

  // There is no way to have a peer without routes, and those to everything would take all of this host's traffic.
  void check_table(const WgQuickPeer& peer) {
    const WgQuickTable& table = file_.interface.table;
    if (table.kind == WgQuickTable::Kind::kAuto) return;
    if (!covers_all(peer, Family::kV4) && !covers_all(peer, Family::kV6)) return;
    const auto widest = std::ranges::min_element(peer.allowed_ips, {}, &IpPrefix::length);
    const std::uint32_t line = peer.allowed_ips_lines[static_cast<std::size_t>(widest - peer.allowed_ips.begin())];
    const bool is_off = table.kind == WgQuickTable::Kind::kOff;
    fault(file_.interface.table_line, "Table",
          fmt::format("is {}, but the AllowedIPs in line {} are everything: Anubis always makes routes to the allowed "
                      "IPs of a peer that is up, and would send all that this host sends into that tunnel; write in "
                      "line {} only what is to go through it, {}or leave this tunnel to wg-quick",
                      is_off ? "off" : fmt::to_string(table.number), line, line,
                      is_off ? "" : "or take the line with Table out if everything is, "));
  }

  const WgQuickFile& file_;
  const std::string& name_;
  const crypto::PublicKey own_public_key_;
  std::optional<IpPrefix> side_prefix_;
  std::string faults_;
};

// "FILE" of "wg set %i private-key FILE"; "" where it is none.
std::string key_file_in(std::string_view command, const std::string& interface) {
  constexpr std::string_view kOption = "private-key";
  const auto option = command.find(kOption);
  if (option == std::string_view::npos) return {};
  command.remove_prefix(option + kOption.size());
  command.remove_prefix(std::min(command.find_first_not_of(" \t\"'"), command.size()));
  std::string file(command.substr(0, command.find_first_of(" \t;\"'&|")));
  if (!file.starts_with('/') || file.ends_with('=')) return {};  // the key itself, by mistake
  for (auto at = file.find("%i"); at != std::string::npos; at = file.find("%i")) file.replace(at, 2, interface);
  return file;
}

}  // namespace

base::Status check_importable(const WgQuickFile& file, const std::string& name) { return Checker(file, name).check(); }

base::Error without_private_key(const WgQuickFile& file, const std::string& name, const std::string& interface) {
  constexpr std::string_view kWhatToDo = "put PrivateKey = … under [Interface], and try again";
  const auto& scripts = file.interface.scripts;
  const auto loads_it = [](const config::WgQuickScript& script) {
    return script.command.find("private-key") != std::string::npos;
  };
  const auto script = std::ranges::find_if(scripts, loads_it);
  if (script == scripts.end())
    return {base::ErrorCode::kInvalid, fmt::format("{} has no PrivateKey; {}", name, kWhatToDo)};
  const std::string key_file = key_file_in(script->command, interface);
  return {base::ErrorCode::kInvalid, fmt::format("{} has no PrivateKey: line {} loads it{}; {}", name, script->line,
                                                 key_file.empty() ? " by a script" : " from " + key_file, kWhatToDo)};
}

}  // namespace anubis::interop

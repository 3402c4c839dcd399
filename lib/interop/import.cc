#include "lib/interop/import.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "lib/config/config.h"
#include "lib/config/side_address.h"
#include "lib/config/wg_quick.h"
#include "lib/interop/entry.h"
#include "lib/interop/peer_names.h"

namespace anubis::interop {
namespace {

using base::ErrorCode;
using base::fail;
using config::WgQuickFile;
using config::WgQuickInterface;
using config::WgQuickTable;
using model::IpAddress;
using model::IpPrefix;

base::Secret<crypto::kKeySize> secret_of(std::span<const std::uint8_t, crypto::kKeySize> bytes) {
  base::Secret<crypto::kKeySize> secret;
  std::ranges::copy(bytes, secret.writable().begin());
  return secret;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all.append(all.empty() ? "" : ", ").append(text);
  return all;
}

// WireGuard gives an allowed IP that two peers have to the one that comes last. Returns those that lost one.
std::vector<std::size_t> settle_equal(WgQuickFile& file) {
  std::vector<std::pair<IpPrefix, std::size_t>> all;
  for (std::size_t i = 0; i < file.peers.size(); ++i) {
    auto& ranges = file.peers[i].allowed_ips;
    std::vector<IpPrefix> once;
    for (const IpPrefix& range : ranges) {
      if (std::ranges::find(once, range) == once.end()) once.push_back(range);
    }
    ranges = std::move(once);
    for (const IpPrefix& range : ranges) all.emplace_back(range, i);
  }
  std::ranges::sort(all);
  std::vector<std::size_t> losers;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    if (all[i].first != all[i + 1].first) continue;
    std::erase(file.peers[all[i].second].allowed_ips, all[i].first);
    losers.push_back(all[i].second);
  }
  return losers;
}

// All other peers' ranges that are shorter and contain one of this peer's want nested = true, but for default routes.
std::vector<bool> find_nested(const WgQuickFile& file) {
  std::vector<std::pair<IpPrefix, std::size_t>> all;
  for (std::size_t i = 0; i < file.peers.size(); ++i) {
    for (const IpPrefix& range : file.peers[i].allowed_ips) all.emplace_back(range, i);
  }
  std::ranges::sort(all);  // what contains another stands before it
  std::vector<bool> nested(file.peers.size());
  std::vector<std::pair<IpPrefix, std::size_t>> outer;
  for (const auto& [range, peer] : all) {
    while (!outer.empty() && !outer.back().first.contains(range)) outer.pop_back();
    for (const auto& [around, other] : outer) {
      if (other != peer && !around.is_default_route()) nested[peer] = true;
    }
    outer.emplace_back(range, peer);
  }
  return nested;
}

std::vector<std::uint16_t> side_ports(std::uint16_t production) {
  std::vector<std::uint16_t> ports;
  for (std::uint16_t port = config::kDefaultSidePort; ports.size() < 2; ++port) {
    if (port != production) ports.push_back(port);
  }
  return ports;
}

// Nobody's but ours: the first fdXX::/16 from the usual one on in which nothing of the file lies.
IpPrefix side_prefix_beside(const WgQuickFile& file) {
  const auto is_free = [&](const IpPrefix& prefix) {
    const bool has_address = std::ranges::any_of(file.interface.addresses, [&](const auto& each) {
      return prefix.overlaps(IpPrefix(each.address, each.length));
    });
    return !has_address && std::ranges::none_of(file.peers, [&](const auto& peer) {
      return std::ranges::any_of(
          peer.allowed_ips, [&](const IpPrefix& range) { return !range.is_default_route() && prefix.overlaps(range); });
    });
  };
  IpPrefix prefix = config::default_side_prefix();
  for (unsigned i = 0; i < 256 && !is_free(prefix); ++i) {
    std::array<std::uint8_t, 16> bytes{0xfd, static_cast<std::uint8_t>(prefix.address().bytes()[1] + 1)};
    prefix = IpPrefix(IpAddress::v6(bytes), 16);
  }
  return prefix;
}

void note_scripts(const WgQuickInterface& interface, std::vector<std::string>& notes) {
  const auto& scripts = interface.scripts;
  const std::pair<const char*, const std::vector<std::string>*> all[] = {{"PreUp", &scripts.pre_up},
                                                                         {"PostUp", &scripts.post_up},
                                                                         {"PreDown", &scripts.pre_down},
                                                                         {"PostDown", &scripts.post_down}};
  std::vector<std::string> keys;
  bool masquerades = false;
  bool forwards = false;
  for (const auto& [key, lines] : all) {
    if (lines->empty()) continue;
    keys.emplace_back(key);
    for (const std::string& line : *lines) {
      masquerades =
          masquerades || line.find("MASQUERADE") != std::string::npos || line.find("masquerade") != std::string::npos;
      forwards =
          forwards || line.find("ip_forward") != std::string::npos || line.find("forwarding") != std::string::npos;
    }
  }
  if (keys.empty()) return;
  notes.push_back(fmt::format("{} {} not run by Anubis: what was done there, do elsewhere", joined(keys),
                              keys.size() == 1 ? "is" : "are"));
  if (masquerades)
    notes.emplace_back("they masquerade: Anubis does it, too, with masquerade = [\"RANGE\"] in [firewall]");
  if (forwards) notes.emplace_back("they switch forwarding on: do that in /etc/sysctl.d");
}

void note_differences(const WgQuickFile& file, const ImportSettings& settings, std::vector<std::string>& notes) {
  const WgQuickInterface& interface = file.interface;
  note_scripts(interface, notes);
  if (interface.save_config) {
    notes.push_back(
        fmt::format("SaveConfig means nothing to Anubis, which never writes what stands on an interface; wg-quick "
                    "down would write {} anew from it, so take that line out",
                    settings.file));
  }
  if (!interface.dns_servers.empty() || !interface.dns_search.empty()) {
    std::string servers;
    for (const IpAddress& server : interface.dns_servers) servers += " " + server.to_string();
    notes.push_back(
        fmt::format("DNS is not set by Anubis: resolvectl dns {}{}, for example, or in your network manager",
                    settings.interface, servers));
  }
  switch (interface.table.kind) {
    case WgQuickTable::Kind::kAuto:
      break;
    case WgQuickTable::Kind::kOff:
      notes.push_back(
          fmt::format("Table = off: Anubis makes routes all the same, to the allowed IPs of peers that are up, in "
                      "its own table {}",
                      config::kDefaultTable));
      break;
    case WgQuickTable::Kind::kNumber:
      notes.push_back(
          fmt::format("Table = {}: Anubis' routes are in its own table {}; if rules of yours look into {}, change "
                      "them",
                      interface.table.number, config::kDefaultTable, interface.table.number));
      break;
  }
  if (interface.listen_port == 0) {
    notes.push_back(
        fmt::format("without ListenPort it was any port: it is {} from now on", config::kDefaultProductionPort));
  }
}

std::string write_configuration(const WgQuickFile& file, const ImportSettings& settings, Import& import) {
  const WgQuickInterface& interface = file.interface;
  const std::uint16_t port = interface.listen_port != 0 ? interface.listen_port : config::kDefaultProductionPort;
  std::string text = fmt::format(
      "# Made by `anubis import` from {}. Every key is explained in anubis.toml(5). The peers stand in conf.d, a file\n"
      "# each. After a change: anubisd --check-config, then anubis reload (of what stands here, a restart of "
      "anubisd).\n\n"
      "# What other hosts call this one.\nname = \"{}\"\n\n"
      "# The interface that carries traffic.\n[production]\ninterface = \"{}\"\nprivate_key_file = \"{}\"\nlisten_port "
      "= {}\n",
      settings.file, settings.host, settings.interface, import.keys.front().file, port);
  if (!interface.addresses.empty()) text += fmt::format("addresses = {}\n", format_list(interface.addresses));
  // What is less, the file may say, but no IPv6 goes through it, and so no side tunnel beside it.
  if (interface.mtu && *interface.mtu >= 1280 && *interface.mtu <= 65'535) {
    text += fmt::format("mtu = {}\n", *interface.mtu);
  } else if (interface.mtu) {
    import.notes.push_back(fmt::format("MTU = {} is left to the system: Anubis takes 1280 to 65535", *interface.mtu));
  }
  if (interface.fwmark != 0) text += fmt::format("fwmark = {}\n", interface.fwmark);
  text += fmt::format(
      "\n# The interface for Anubis alone, which only hosts with Anubis use.\n[side]\nprivate_key_file = \"{}\"\n",
      import.side_key_file);
  const auto ports = side_ports(port);
  if (ports[0] != config::kDefaultSidePort) {
    text += fmt::format("listen_port = {}\n", ports[0]);
    import.notes.push_back(
        fmt::format("the side interface listens on {}/udp, since {} is taken", ports[0], config::kDefaultSidePort));
  }
  if (ports[1] != config::kDefaultServicePort) text += fmt::format("service_port = {}\n", ports[1]);
  if (const auto prefix = side_prefix_beside(file); prefix != config::default_side_prefix()) {
    text += fmt::format("prefix = \"{}\"\n", prefix.to_string());
    import.notes.push_back(fmt::format("side addresses begin with {}, since {} is in use; say the same on all hosts",
                                       prefix.to_string(), config::default_side_prefix().to_string()));
  }
  return text;
}

void write_peers(WgQuickFile& file, const std::vector<std::string>& names, Import& import) {
  const auto losers = settle_equal(file);
  for (const std::size_t loser : losers) {
    import.notes.push_back(fmt::format(
        "{} shares allowed IPs with a peer further down, which has them: they are left out here", names[loser]));
  }
  const auto nested = find_nested(file);
  for (std::size_t i = 0; i < file.peers.size(); ++i) {
    config::WgQuickPeer& peer = file.peers[i];
    PlainPeer entry{.name = names[i],
                    .public_key = peer.public_key,
                    .side_address = {},
                    .endpoint = peer.endpoint,
                    .allowed_ips = peer.allowed_ips,
                    .nested = nested[i],
                    .persistent_keepalive = peer.persistent_keepalive,
                    .preshared_key_file = {},
                    .lease = {}};
    if (peer.preshared_key) {
      entry.preshared_key_file = names[i] + ".psk";
      import.keys.push_back({entry.preshared_key_file, secret_of(peer.preshared_key->view())});
    }
    import.peers.push_back({names[i],
                            "# Made by `anubis import`. As far as is known no Anubis runs there (plain = true): up and "
                            "down are done at this\n"
                            "# end alone. Once one does, `anubis trust` of that host's card completes this.\n" +
                                format_entry(entry)});
  }
}

}  // namespace

base::Result<Import> import_wg_quick(std::string_view text, const ImportSettings& settings) {
  auto file = config::parse_wg_quick(text, settings.file);
  if (!file) return fail(file.error());
  if (!file->interface.private_key) {
    return fail(ErrorCode::kInvalid, settings.file + " has no PrivateKey, which a script may set: write it there");
  }
  Import import;
  import.keys.push_back({settings.host + ".key", secret_of(file->interface.private_key->view())});
  import.side_key_file = settings.host + "-side.key";
  note_differences(*file, settings, import.notes);
  import.configuration = write_configuration(*file, settings, import);
  write_peers(*file, names_of_peers(text, *file, settings.host), import);
  return import;
}

}  // namespace anubis::interop

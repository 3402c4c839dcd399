#include "lib/interop/import.h"

#include <cstdint>

#include <fmt/format.h>

#include "lib/config/config.h"
#include "lib/config/side_address.h"
#include "lib/config/wg_quick.h"
#include "lib/interop/entry.h"
#include "lib/interop/import_check.h"
#include "lib/interop/import_notes.h"
#include "lib/interop/import_ranges.h"
#include "lib/interop/peer_names.h"

namespace anubis::interop {
namespace {

using base::ErrorCode;
using base::fail;
using config::WgQuickFile;
using config::WgQuickInterface;

// "wg0" of "/etc/wireguard/wg0.conf".
std::string_view stem_of(std::string_view file) {
  file.remove_prefix(file.rfind('/') + 1);  // npos + 1 is 0
  return file.substr(0, file.rfind(".conf"));
}

std::vector<std::uint16_t> side_ports(std::uint16_t production) {
  std::vector<std::uint16_t> ports;
  for (std::uint16_t port = config::kDefaultSidePort; ports.size() < 2; ++port) {
    if (port != production) ports.push_back(port);
  }
  return ports;
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
  if (const auto direct = direct_ranges(file); !direct.empty()) {
    text += fmt::format(
        "# A peer has these ranges, and the networks that this host stands on may lie in them. What it has a route of "
        "its "
        "own to\n# there, it sends there, as under wg-quick, and so does whoever uses its address in one of them. "
        "Safer: "
        "name your own\n# LAN alone.\ndirect = {}\n",
        format_list(direct));
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
  // There is one: check_importable() has seen to it.
  const auto prefix = side_prefix_beside(file).value_or(config::default_side_prefix());
  if (prefix != config::default_side_prefix()) {
    text += fmt::format("prefix = \"{}\"\n", prefix.to_string());
    import.notes.push_back(
        fmt::format("side addresses begin with {}, since {} is in use; the other hosts must have the same side.prefix",
                    prefix.to_string(), config::default_side_prefix().to_string()));
  }
  return text;
}

void write_peers(WgQuickFile& file, const std::vector<std::string>& names, Import& import) {
  for (const auto& [loser, winner] : settle_equal(file)) {
    import.notes.push_back(fmt::format("{} shares allowed IPs with {}, further down, which has them: they are left out",
                                       names[loser], names[winner]));
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
      import.keys.push_back({entry.preshared_key_file, crypto::duplicate(peer.preshared_key->view())});
    }
    import.peers.push_back({names[i],
                            "# Made by `anubis import`. Once Anubis runs there, too: `anubis trust` of its card "
                            "completes this.\n" +
                                format_entry(entry)});
  }
}

}  // namespace

base::Result<Import> import_wg_quick(std::string_view text, const ImportSettings& settings) {
  auto file = config::parse_wg_quick(text, settings.file);
  if (!file) return fail(file.error());
  if (!file->interface.private_key) return fail(without_private_key(*file, settings.file, settings.interface));
  const auto joined = join_halves(*file);
  if (auto status = check_importable(*file, settings.file); !status) return fail(status.error());
  const auto names = names_of_peers(text, *file, settings.host, stem_of(settings.file));
  Import import;
  import.keys.push_back({settings.host + ".key", crypto::duplicate(file->interface.private_key->view())});
  import.side_key_file = settings.host + "-side.key";
  import.notes = notes_of_interface(*file, names, settings);
  import.is_as_it_stands = joined.empty();
  for (const std::size_t peer : joined) {
    import.notes.push_back(
        fmt::format("{} has ::/0 in place of its halves, so that anubisd does not take it over by "
                    "itself: anubis up {} --persist",
                    names[peer], names[peer]));
  }
  import.configuration = write_configuration(*file, settings, import);
  write_peers(*file, names, import);
  return import;
}

}  // namespace anubis::interop

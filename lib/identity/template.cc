#include "lib/identity/template.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lib/config/config.h"
#include "lib/config/edit.h"
#include "lib/config/name.h"

namespace anubis::identity {
namespace {

template <class T>
std::string list_of(const std::vector<T>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const T& value : values) texts.push_back(fmt::format("\"{}\"", value.to_string()));
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", text); }

// HOST alone where the port is the usual one.
std::string brief(const model::HostPort& endpoint, std::uint16_t usual) {
  return endpoint.port == usual ? model::HostPort{endpoint.host, {}}.to_string() : endpoint.to_string();
}

std::string addresses_of(const HostText& host) {
  if (!host.addresses.empty()) return fmt::format("addresses = {}\n", list_of(host.addresses));
  return "# This host's address in the tunnel. Choose a private range that nobody uses yet, such as 10.44.0.0/24, the "
         "same for all\n"
         "# of your hosts, and give each host an address of its own in it.\n"
         "#addresses = [\"10.44.0.1/24\"]\n";
}

std::string endpoint_of(const HostText& host) {
  constexpr std::string_view kComment =
      "# Where other hosts reach this one from outside: a name or an address. Printed on its card and in invitations.\n"
      "# A host that only calls others, such as a laptop, has none.\n";
  if (host.endpoint) {
    return fmt::format("{}endpoint = \"{}\"\n", kComment, brief(*host.endpoint, config::kDefaultProductionPort));
  }
  return fmt::format("{}#endpoint = \"{}.example.net\"\n", kComment, host.name);
}

std::optional<std::string> side_address_of(const PeerText& peer) {
  if (!peer.side_address) return std::nullopt;
  return in_quotes(peer.side_address->to_string());
}

std::optional<std::string> endpoint_of(const PeerText& peer) {
  if (!peer.endpoint) return std::nullopt;
  return in_quotes(brief(*peer.endpoint, config::kDefaultProductionPort));
}

// Without it, the endpoint's host with the usual port is meant.
std::optional<std::string> side_endpoint_of(const PeerText& peer) {
  if (!peer.side_endpoint) return std::nullopt;
  if (peer.endpoint && *peer.side_endpoint == model::HostPort{peer.endpoint->host, config::kDefaultSidePort}) {
    return std::nullopt;
  }
  return in_quotes(peer.side_endpoint->to_string());
}

}  // namespace

std::string fit_name(std::string_view host_name) {
  constexpr std::size_t kLongest = 63;
  std::string name(host_name.substr(0, host_name.find('.')).substr(0, kLongest));
  for (char& character : name) {
    if (!config::parse_name(std::string("a") + character)) character = '-';
  }
  name.erase(0, std::min(name.find_first_not_of('-'), name.size()));
  return name.empty() ? "host" : name;
}

std::string host_toml(const HostText& host) {
  return fmt::format(
      R"(# Anubis' configuration of this host, made by `anubis init`. Every key is explained in anubis.toml(5).
# Peers stand in conf.d beside this file, one file each; `anubis trust` and `anubis invite` write them.
# After a change by hand: anubisd --check-config, then anubis reload (of what stands here, a restart of anubisd).

# What other hosts call this one.
name = "{}"

{}
# The interface that carries traffic. Only those peers stand on it that are up.
[production]
#interface = "wg0"
#listen_port = 4296
private_key_file = "{}"
{}
# The interface for Anubis alone. Every peer stands on it, always.
[side]
#interface = "anubis0"
#listen_port = 4297
private_key_file = "{}"
)",
      host.name, endpoint_of(host), host.key_file, addresses_of(host), host.side_key_file);
}

std::string peer_toml(const PeerText& peer) {
  std::string text = fmt::format("[[peer]]\nname = \"{}\"\npublic_key = \"{}\"\nside_public_key = \"{}\"\n", peer.name,
                                 peer.public_key.to_base64(), peer.side_public_key.to_base64());
  const auto line = [&text](std::string_view key, const std::optional<std::string>& value) {
    if (value) text += fmt::format("{} = {}\n", key, *value);
  };
  line("side_address", side_address_of(peer));
  line("endpoint", endpoint_of(peer));
  line("side_endpoint", side_endpoint_of(peer));
  text += "# What goes to it and may come from it while it is up.\n";
  line("allowed_ips", list_of(peer.allowed_ips));
  if (!peer.addresses.empty()) line("addresses", list_of(peer.addresses));
  if (peer.persistent_keepalive != 0) line("persistent_keepalive", std::to_string(peer.persistent_keepalive));
  return text;
}

std::string complete_peer(std::string_view entry, const PeerText& peer, bool ranges) {
  std::vector<config::Setting> settings{{"plain", {}},
                                        {"production_preshared_key_file", {}},  // there is one for each session now
                                        {"side_public_key", in_quotes(peer.side_public_key.to_base64())},
                                        {"side_address", side_address_of(peer)},
                                        {"side_endpoint", side_endpoint_of(peer)}};
  if (peer.endpoint) settings.push_back({"endpoint", endpoint_of(peer)});
  if (ranges) settings.push_back({"allowed_ips", list_of(peer.allowed_ips)});
  if (!peer.addresses.empty()) settings.push_back({"addresses", list_of(peer.addresses)});
  if (peer.persistent_keepalive != 0)
    settings.push_back({"persistent_keepalive", std::to_string(peer.persistent_keepalive)});
  return config::edit_peer(entry, settings);
}

std::string invitation_toml(const InvitationText& invitation) {
  return fmt::format(
      "[[invitation]]\nname = \"{}\"\n# Of its secret, which is not here.\npublic_key = \"{}\"\nside_public_key = "
      "\"{}\"\nproof_key = \"{}\"\nexpires = {}\n# What will go to it and may come from it.\nallowed_ips = {}\n",
      invitation.name, invitation.public_key.to_base64(), invitation.side_public_key.to_base64(),
      invitation.proof_key.to_base64(), invitation.expires, list_of(invitation.allowed_ips));
}

}  // namespace anubis::identity

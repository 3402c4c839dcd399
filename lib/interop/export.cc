#include "lib/interop/export.h"

namespace anubis::interop {

config::WgQuickFile export_tunnel(const config::Config& config, const model::Peer& peer) {
  const config::Production& production = config.production;
  config::WgQuickFile file;
  file.interface.private_key.emplace(crypto::duplicate(production.private_key.view()));
  file.interface.listen_port = production.listen_port;
  // Ours serves our rules; wg-quick has its own.
  if (production.fwmark != config::kDefaultMark) file.interface.fwmark = production.fwmark;
  file.interface.addresses = production.addresses;
  file.interface.mtu = production.mtu;

  config::WgQuickPeer exported;
  exported.public_key = peer.public_key;
  if (peer.production_preshared_key)
    exported.preshared_key.emplace(crypto::duplicate(peer.production_preshared_key->view()));
  exported.allowed_ips = peer.allowed_ips;
  exported.endpoint = peer.endpoint;
  exported.persistent_keepalive = peer.persistent_keepalive;
  file.peers.push_back(std::move(exported));
  return file;
}

}  // namespace anubis::interop

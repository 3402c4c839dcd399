#include "anubisd/netd/local_parts.h"

#include <utility>

#include "firewall/nft_firewall.h"
#include "lib/network/rtnetlink_network.h"
#include "lib/network/watcher.h"

namespace anubis::netd {

base::Result<LocalParts> make_local_parts(const config::Config& config, const model::PeerDirectory& directory,
                                          wireguard::UserspaceLauncher* launcher) {
  auto network = network::RtnetlinkNetwork::create();
  if (!network) return base::fail(network.error());
  auto watcher = network::Watcher::create();
  if (!watcher) return base::fail(watcher.error());
  (*watcher)->ignore((*network)->port());

  LocalParts parts;
  parts.network = std::move(*network);
  parts.devices = std::make_unique<SystemDevices>(launcher);
  parts.firewall = std::make_unique<firewall::NftFirewall>();
  auto netd =
      LocalNetd::create(config, directory, *parts.network, *parts.devices, *parts.firewall, std::move(*watcher));
  if (!netd) return base::fail(netd.error());
  parts.netd = std::move(*netd);
  return parts;
}

}  // namespace anubis::netd

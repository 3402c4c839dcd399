// The privileged parts, in this process.
#pragma once

#include <memory>

#include "anubisd/netd/devices.h"
#include "anubisd/netd/local_netd.h"
#include "firewall/firewall.h"
#include "lib/config/config.h"
#include "lib/model/directory.h"
#include "lib/network/network.h"

namespace anubis::netd {

struct LocalParts {  // in the order of their dependence
  std::unique_ptr<network::Network> network;
  std::unique_ptr<Devices> devices;
  std::unique_ptr<firewall::Firewall> firewall;
  std::unique_ptr<LocalNetd> netd;
};

// All must outlive the parts. launcher: of SystemDevices.
[[nodiscard]] base::Result<LocalParts> make_local_parts(const config::Config& config,
                                                        const model::PeerDirectory& directory,
                                                        wireguard::UserspaceLauncher* launcher);

}  // namespace anubis::netd

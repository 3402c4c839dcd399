// This host's production tunnel with one peer, as wg-quick has tunnels. PURE.
#pragma once

#include "lib/config/config.h"
#include "lib/config/wg_quick.h"

namespace anubis::interop {

// It holds this host's private key. The peer is one of the configuration's.
[[nodiscard]] config::WgQuickFile export_tunnel(const config::Config& config, const model::Peer& peer);

}  // namespace anubis::interop

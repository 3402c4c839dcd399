// Gathers what sentences and displays need to know of a peer.
#pragma once

#include "anubisd/netd/netd.h"
#include "anubisd/sentences.h"
#include "lib/gate/gatekeeper.h"
#include "lib/model/directory.h"

namespace anubis::daemon {

// The one of its endpoint_ports over which the side tunnel works; none: as configured, or not at all.
[[nodiscard]] std::optional<std::uint16_t> further_port(const model::Peer& peer, const netd::PeerReport& side_report);

// The peer must be in the directory. side_report: as netd tells it; none: the peer is not on the side interface, or the
// interface cannot be asked.
[[nodiscard]] PeerFacts gather_facts(const model::Peer& peer, const std::optional<netd::PeerReport>& side_report,
                                     const gate::SessionView& view);

}  // namespace anubis::daemon

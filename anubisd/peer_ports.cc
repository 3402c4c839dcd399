#include "anubisd/peer_ports.h"

#include <algorithm>

namespace anubis::daemon {

using model::PeerIndex;

std::optional<std::uint16_t> PeerPorts::further(PeerIndex peer) const {
  const auto found = choices_.find(peer);
  return found == choices_.end() ? std::nullopt : found->second.in_use;
}

model::Endpoint PeerPorts::over_port_in_use(PeerIndex peer, model::Endpoint configured) const {
  if (const auto port = further(peer)) configured.port = *port;
  return configured;
}

bool PeerPorts::try_next(PeerIndex peer) {
  const model::Peer* const configured = directory_.get(peer);
  if (configured == nullptr || configured->endpoint_ports.empty()) return false;
  Choice& choice = choices_[peer];
  std::vector<Port> order{choice.worked};
  const auto append = [&order](Port port) {
    if (std::ranges::find(order, port) == order.end()) order.push_back(port);
  };
  append(std::nullopt);
  for (const std::uint16_t port : configured->endpoint_ports) append(port);
  const auto now = std::ranges::find(order, choice.in_use);
  choice.in_use = order[static_cast<std::size_t>(now - order.begin() + 1) % order.size()];
  choice.is_tried = true;
  return true;
}

bool PeerPorts::works(PeerIndex peer) {
  const auto found = choices_.find(peer);
  if (found == choices_.end() || !found->second.is_tried) return false;
  found->second.is_tried = false;
  found->second.worked = found->second.in_use;
  return true;
}

bool PeerPorts::begin_again(PeerIndex peer) {
  const auto found = choices_.find(peer);
  if (found == choices_.end() || found->second.in_use == found->second.worked) return false;
  found->second.in_use = found->second.worked;
  return true;
}

void PeerPorts::adopt(PeerIndex peer, std::uint16_t port) {
  const model::Peer* const configured = directory_.get(peer);
  if (configured == nullptr || std::ranges::find(configured->endpoint_ports, port) == configured->endpoint_ports.end())
    return;
  choices_[peer] = {.in_use = port, .worked = port};
}

std::vector<PeerIndex> PeerPorts::changed() const {
  std::vector<PeerIndex> peers;
  peers.reserve(choices_.size());
  for (const auto& [peer, choice] : choices_) peers.push_back(peer);
  return peers;
}

}  // namespace anubis::daemon

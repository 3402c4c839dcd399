#include "anubisd/facts.h"

#include <algorithm>

#include "anubisd/handshake_age.h"

namespace anubis::daemon {

std::optional<std::uint16_t> further_port(const model::Peer& peer, const netd::PeerReport& side_report) {
  if (!side_report.endpoint || side_report.latest_handshake == wireguard::HandshakeTime{}) return std::nullopt;
  const std::uint16_t port = side_report.endpoint->port;
  const bool is_further = std::ranges::find(peer.endpoint_ports, port) != peer.endpoint_ports.end();
  return is_further ? std::optional(port) : std::nullopt;
}

PeerFacts gather_facts(const model::Peer& peer, const std::optional<netd::PeerReport>& side_report,
                       const gate::SessionView& view) {
  PeerFacts facts{.name = peer.name,
                  .is_plain = peer.is_plain,
                  .endpoint = peer.endpoint,
                  .side_endpoint = peer.side_endpoint,
                  .endpoint_ports = peer.endpoint_ports,
                  .unopened = view.unopened};
  if (side_report) {
    facts.side_address = side_report->endpoint;
    if (const auto port = further_port(peer, *side_report); port && facts.endpoint) facts.endpoint->port = port;
    facts.side_handshake_age = handshake_age(side_report->latest_handshake);
  }
  return facts;
}

}  // namespace anubis::daemon

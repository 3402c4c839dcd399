#include "anubisd/facts.h"

#include "anubisd/handshake_age.h"

namespace anubis::daemon {

PeerFacts gather_facts(const model::Peer& peer, const std::optional<netd::PeerReport>& side_report,
                       const gate::SessionView& view) {
  PeerFacts facts{
      .name = peer.name, .endpoint = peer.endpoint, .side_endpoint = peer.side_endpoint, .unopened = view.unopened};
  if (side_report) {
    facts.side_address = side_report->endpoint;
    facts.side_handshake_age = handshake_age(side_report->latest_handshake);
  }
  return facts;
}

}  // namespace anubis::daemon

#include "anubisd/endpoints.h"

#include <utility>

#include <fmt/format.h>

#include "anubisd/handshake_age.h"
#include "lib/base/log.h"

namespace anubis::daemon {

using model::Endpoint;
using model::PeerIndex;

void Endpoints::find(PeerIndex peer, Answer answer) {
  const model::Peer* configured = directory_.get(peer);
  if (configured == nullptr) return answer(base::fail(base::ErrorCode::kNotFound, "it is no longer authorised"));
  if (!configured->endpoint) return answer(of_roamer(peer, *configured));
  const model::HostPort& endpoint = *configured->endpoint;
  if (const auto literal = endpoint.literal()) return answer(Endpoint{.address = *literal, .port = *endpoint.port});
  resolver_.resolve(endpoint.host, Urgency::kAwaited,
                    [this, peer, endpoint, answer = std::move(answer)](base::Result<model::IpAddress> address) {
                      answer(take_resolved(peer, endpoint, std::move(address)));
                    });
}

std::optional<Endpoint> Endpoints::known(PeerIndex peer, std::uint16_t told_port) {
  const model::Peer* configured = directory_.get(peer);
  if (configured == nullptr) return std::nullopt;
  if (configured->endpoint) {
    if (const auto literal = configured->endpoint->literal()) {
      return Endpoint{.address = *literal, .port = *configured->endpoint->port};
    }
    if (const auto found = resolved_.find(peer); found != resolved_.end()) {
      return Endpoint{.address = found->second, .port = *configured->endpoint->port};
    }
    told_port = *configured->endpoint->port;
  }
  // A phone has one socket for both tunnels.
  const bool has_one_socket = configured->is_plain &&
                              configured->side_public_key.bytes == configured->public_key.bytes &&
                              !configured->endpoint;
  if (has_one_socket) {
    const auto report = side_report(peer);
    return report ? report->endpoint : std::nullopt;
  }
  if (told_port == 0) return std::nullopt;
  const auto report = side_report(peer);
  if (!report || !report->endpoint) return std::nullopt;
  Endpoint heard = *report->endpoint;
  heard.port = told_port;
  return heard;
}

std::optional<netd::PeerReport> Endpoints::side_report(PeerIndex peer) {
  auto report = netd_.report(netd::Interface::kSide, peer);
  return report ? std::move(*report) : std::nullopt;
}

base::Result<Endpoint> Endpoints::of_roamer(PeerIndex peer, const model::Peer& configured) {
  const auto report = side_report(peer);
  if (!report || !report->endpoint || !handshake_age(report->latest_handshake)) {
    return base::fail(base::ErrorCode::kUnreachable,
                      fmt::format("{} has no endpoint in the configuration, and its side tunnel was not heard since "
                                  "the side interface is up",
                                  configured.name));
  }
  Endpoint heard = *report->endpoint;
  heard.port = 0;
  return heard;
}

base::Result<Endpoint> Endpoints::take_resolved(PeerIndex peer, const model::HostPort& asked,
                                                base::Result<model::IpAddress> address) {
  const model::Peer* configured = directory_.get(peer);
  if (configured == nullptr || configured->endpoint != asked) {
    return base::fail(base::ErrorCode::kNotFound, "its configuration changed while its name was being resolved");
  }
  if (address) {
    resolved_[peer] = *address;
    return Endpoint{.address = *address, .port = *asked.port};
  }
  // A side tunnel that lives knows better than a name server that does not.
  const auto report = side_report(peer);
  if (!report || !report->endpoint) return base::fail(address.error());
  const auto age = handshake_age(report->latest_handshake);
  if (!age || *age > kHandshakeLives) return base::fail(address.error());
  Endpoint heard = *report->endpoint;
  heard.port = *asked.port;
  base::log::warning({"endpoint.from-side-tunnel", configured->name}, "{}: {}; using {}, where its side tunnel is",
                     configured->name, address.error().message, heard.to_string());
  return heard;
}

}  // namespace anubis::daemon

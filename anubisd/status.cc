#include "anubisd/status.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "anubisd/facts.h"
#include "lib/base/log.h"
#include "lib/wire/message.h"

#ifndef ANUBIS_VERSION
#error "the build defines ANUBIS_VERSION"
#endif

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;

// Many clients that ask at once cost one dump.
constexpr base::Duration kReportsLive = 500ms;

std::int64_t to_unix_seconds(wireguard::HandshakeTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

void add_counter(control::HostStatus& host, std::string name, std::uint64_t value) {
  control::Counter& counter = *host.add_counters();
  counter.set_name(std::move(name));
  counter.set_value(value);
}

const netd::PeerReport* find(const std::unordered_map<model::PeerIndex, netd::PeerReport>& reports,
                             model::PeerIndex peer) {
  const auto found = reports.find(peer);
  return found == reports.end() ? nullptr : &found->second;
}

std::unordered_map<model::PeerIndex, netd::PeerReport> by_peer(base::Result<std::vector<netd::PeerReport>> reports) {
  std::unordered_map<model::PeerIndex, netd::PeerReport> map;
  if (!reports) {
    base::log::warning("status.incomplete", "{}", reports.error().message);
    return map;
  }
  for (netd::PeerReport& report : *reports) map.emplace(report.peer, std::move(report));
  return map;
}

std::uint32_t whole_seconds(base::Duration duration) {
  return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(duration).count());
}

const char* name_of(netd::FirewallState state) {
  switch (state) {
    case netd::FirewallState::kInPlace:
      return "in-place";
    case netd::FirewallState::kDisabled:
      return "disabled";
    case netd::FirewallState::kRemoved:
      return "removed";
    case netd::FirewallState::kChanged:
      return "changed";
  }
  return "";
}

const char* name_of(gate::Hearing hearing) {
  switch (hearing) {
    case gate::Hearing::kHeard:
      return "heard";
    case gate::Hearing::kQuiet:
      return "quiet";
    case gate::Hearing::kSilent:
      return "silent";
  }
  return "";
}

}  // namespace

std::int64_t to_unix_seconds(base::Time time) {
  const auto moment = std::chrono::system_clock::now() - (base::BootClock::now() - time);
  // Rounded, so that the same moment does not flicker between two seconds from one call to the next.
  return std::chrono::round<std::chrono::seconds>(moment.time_since_epoch()).count();
}

control::HostStatus Status::host(const SideService::Counters& side_service) const {
  control::HostStatus host;
  host.set_name(config_.name);
  host.set_version(ANUBIS_VERSION);
  host.set_degraded(interfaces_.degraded());
  host.set_production_interface(config_.production.interface);
  host.set_production_public_key(config_.production.public_key.to_base64());
  const bool kernel = interfaces_.report(netd::Interface::kProduction).backend == netd::Backend::kKernel;
  host.set_production_backend(kernel ? "kernel" : "userspace");
  for (const model::IpPrefix& range : config_.production.throw_ranges) host.add_production_throw(range.to_string());
  for (const model::IpPrefix& range : config_.production.direct_ranges) host.add_production_direct(range.to_string());
  host.set_side_interface(config_.side.interface);
  host.set_side_address(config_.side.address.to_string());
  host.set_side_public_key(config_.side.public_key.to_base64());
  host.set_place(roaming::name_of(roaming_.place()));
  host.set_place_reason(roaming_.reason());
  host.set_has_home(roaming_.has_home());

  if (const auto report = netd_.firewall_report()) {
    const control::FirewallStatus status = firewall(*report);
    host.set_firewall(status.state());
    *host.mutable_closed_ports() = status.closed_ports();
  }

  const gate::Counters& gate = gatekeeper_.counters();
  for (std::size_t reason = 0; reason < gate.dropped.size(); ++reason) {
    add_counter(host, std::string("dropped-") + wire::name_of(static_cast<wire::Drop>(reason)), gate.dropped[reason]);
  }
  add_counter(host, "requests-accepted", gate.requests_accepted);
  add_counter(host, "replies-repeated", gate.replies_repeated);
  add_counter(host, "stale", gate.stale);
  add_counter(host, "datagrams-received", side_service.received);
  add_counter(host, "datagrams-sent", side_service.sent);
  add_counter(host, "datagrams-not-sent", side_service.not_sent);
  return host;
}

void Status::refresh_reports() {
  const base::Time now = base::BootClock::now();
  if (reports_.taken && now - *reports_.taken < kReportsLive) return;
  reports_.production = by_peer(netd_.report(netd::Interface::kProduction));
  reports_.side = by_peer(netd_.report(netd::Interface::kSide));
  reports_.taken = now;
}

control::PeerStatus Status::peer(model::PeerIndex index) {
  refresh_reports();
  const model::Peer& peer = *directory_.get(index);
  const gate::SessionView view = gatekeeper_.view(index, base::BootClock::now());
  const netd::PeerReport* production = find(reports_.production, index);
  const netd::PeerReport* side = find(reports_.side, index);

  control::PeerStatus status;
  status.set_name(peer.name);
  status.set_state(gate::name_of(view.state));
  status.set_initiator(view.initiator);
  status.set_public_key(peer.public_key.to_base64());
  if (peer.endpoint) status.set_endpoint(peer.endpoint->to_string());
  for (const model::IpPrefix& prefix : peer.allowed_ips) status.add_allowed_ips(prefix.to_string());
  if (view.since != base::Time{}) status.set_since(to_unix_seconds(view.since));
  if (const model::Peer* server = view.server ? directory_.get(*view.server) : nullptr)
    status.set_with_server(server->name);
  if (view.lease_left) {
    status.set_lease_seconds_left(whole_seconds(*view.lease_left));
  }
  if (view.wish) {
    status.set_wanted(true);
    status.set_persistent(view.wish->insistence == gate::Insistence::kPersistent);
    if (view.wish->until) {
      const base::Duration left = *view.wish->until - base::BootClock::now();
      status.set_wanted_seconds_left(whole_seconds(std::max(left, base::Duration{0})));
    }
  }
  if (view.retry_in) status.set_retry_seconds(whole_seconds(*view.retry_in));
  if (view.state == gate::SessionState::kUp) {
    status.set_liveness(name_of(view.hearing));
    status.set_silent_seconds(whole_seconds(view.silent_for));
  }
  if (production != nullptr) {
    if (production->endpoint) status.set_endpoint(production->endpoint->to_string());
    status.set_latest_handshake(to_unix_seconds(production->latest_handshake));
    status.set_rx_bytes(production->rx_bytes);
    status.set_tx_bytes(production->tx_bytes);
  }
  if (side != nullptr) {
    if (side->endpoint) status.set_side_endpoint(side->endpoint->to_string());
    status.set_side_latest_handshake(to_unix_seconds(side->latest_handshake));
    status.set_endpoint_port_in_use(further_port(peer, *side).value_or(0));
  }
  status.set_reason(
      session_reason(view, gather_facts(peer, side != nullptr ? std::optional(*side) : std::nullopt, view)));
  return status;
}

namespace {

template <class Host>
control::NamedHost named_host(const Host& host, const char* kind) {
  control::NamedHost out;
  out.set_name(host.name);
  out.set_kind(kind);
  for (const model::IpAddress& address : host.addresses) out.add_addresses(address.to_string());
  for (const model::IpAddress& address : host.lan_addresses) out.add_lan_addresses(address.to_string());
  out.set_wireguard_name(host.name + std::string(model::kWireGuardSuffix));
  return out;
}

}  // namespace

control::FirewallStatus Status::firewall(const netd::FirewallReport& report) {
  control::FirewallStatus status;
  status.set_state(name_of(report.state));
  status.set_configured(report.is_configured);
  for (const auto& each : report.closed_ports) {
    control::ClosedPort& port = *status.add_closed_ports();
    port.set_port(each.port);
    port.set_table(each.table);
    port.set_chain(each.chain);
    if (each.v4) port.add_families("ipv4");
    if (each.v6) port.add_families("ipv6");
    port.set_advice(each.advice);
  }
  return status;
}

control::NamedHost Status::named(const model::Host& host, const char* kind) { return named_host(host, kind); }
control::NamedHost Status::named(const model::Peer& peer) { return named_host(peer, "peer"); }

control::AuthorisedPeer Status::authorised(const model::Peer& peer) {
  control::AuthorisedPeer out;
  out.set_name(peer.name);
  out.set_public_key(peer.public_key.to_base64());
  out.set_side_public_key(peer.side_public_key.to_base64());
  out.set_side_address(peer.side_address.to_string());
  if (peer.endpoint) out.set_endpoint(peer.endpoint->to_string());
  for (const model::IpPrefix& prefix : peer.allowed_ips) out.add_allowed_ips(prefix.to_string());
  out.set_group(peer.group);
  if (peer.lease) {
    out.set_lease_seconds(static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(*peer.lease).count()));
  }
  return out;
}

}  // namespace anubis::daemon

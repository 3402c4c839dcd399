#include "anubisd/metrics.h"

#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lib/wire/message.h"

namespace anubis::daemon {
namespace {

enum class Kind : std::uint8_t { kGauge, kCounter };

// One family after another, as the format wants it: HELP, TYPE, then its samples.
class Page {
 public:
  void family(std::string_view name, Kind kind, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help,
                   kind == Kind::kGauge ? "gauge" : "counter");
  }
  // labels: LABEL="VALUE" and commas; may be empty.
  template <class Number>
  void sample(Number value, std::string_view labels = {}) {
    if (labels.empty()) {
      fmt::format_to(std::back_inserter(text_), "{} {}\n", name_, value);
    } else {
      fmt::format_to(std::back_inserter(text_), "{}{{{}}} {}\n", name_, labels, value);
    }
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string_view name_;
  std::string text_;
};

std::string label(std::string_view name, std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '\n') {
      escaped += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return fmt::format("{}=\"{}\"", name, escaped);
}

struct Row {
  control::PeerStatus status;
  std::string name;    // labels of ours
  std::string tunnel;  // labels that other exporters for WireGuard use
};

std::vector<Row> rows(const model::PeerDirectory& directory, const std::string& interface, Status& status) {
  std::vector<Row> all;
  all.reserve(directory.size());
  directory.for_each([&](model::PeerIndex index, const model::Peer& peer) {
    if (peer.is_invitation) return;
    Row row{.status = status.peer(index), .name = label("friendly_name", peer.name), .tunnel = {}};
    row.tunnel =
        fmt::format("{},{},{},{}", label("interface", interface), label("public_key", row.status.public_key()),
                    label("allowed_ips", fmt::format("{}", fmt::join(row.status.allowed_ips(), ","))), row.name);
    all.push_back(std::move(row));
  });
  return all;
}

bool is_up(const control::PeerStatus& peer) { return peer.state() == gate::name_of(gate::SessionState::kUp); }

// value: PeerStatus → optional number; none: no sample.
template <class Value>
void each(Page& page, const std::vector<Row>& rows, std::string Row::* labels, Value value) {
  for (const Row& row : rows) {
    if (const auto number = value(row.status)) page.sample(*number, row.*labels);
  }
}

void put_peers(Page& page, const std::vector<Row>& rows) {
  using Peer = control::PeerStatus;
  using Number = std::optional<std::int64_t>;
  using Bytes = std::optional<std::uint64_t>;
  page.family("anubis_peer_up", Kind::kGauge, "Whether the peer's session is up.");
  each(page, rows, &Row::name, [](const Peer& peer) { return Number(is_up(peer) ? 1 : 0); });
  page.family("anubis_peer_wanted", Kind::kGauge, "Whether this host keeps the peer up until somebody takes it down.");
  each(page, rows, &Row::name, [](const Peer& peer) { return Number(peer.wanted() ? 1 : 0); });
  page.family("anubis_peer_up_since_seconds", Kind::kGauge, "Unix time at which the session came up.");
  each(page, rows, &Row::name, [](const Peer& peer) { return is_up(peer) ? Number(peer.since()) : Number(); });
  page.family("anubis_peer_lease_left_seconds", Kind::kGauge, "Time until the session ends unless it is renewed.");
  each(page, rows, &Row::name,
       [](const Peer& peer) { return peer.has_lease_seconds_left() ? Number(peer.lease_seconds_left()) : Number(); });
  page.family("anubis_peer_silent_seconds", Kind::kGauge, "For how long the peer has left unanswered what was sent.");
  each(page, rows, &Row::name, [](const Peer& peer) { return is_up(peer) ? Number(peer.silent_seconds()) : Number(); });

  // What stands on the interface now, by the names that exporters for WireGuard made usual.
  page.family("wireguard_sent_bytes_total", Kind::kCounter, "Bytes sent to the peer.");
  each(page, rows, &Row::tunnel, [](const Peer& peer) { return is_up(peer) ? Bytes(peer.tx_bytes()) : Bytes(); });
  page.family("wireguard_received_bytes_total", Kind::kCounter, "Bytes received from the peer.");
  each(page, rows, &Row::tunnel, [](const Peer& peer) { return is_up(peer) ? Bytes(peer.rx_bytes()) : Bytes(); });
  page.family("wireguard_latest_handshake_seconds", Kind::kGauge, "Unix time of the latest handshake; 0: none yet.");
  each(page, rows, &Row::tunnel,
       [](const Peer& peer) { return is_up(peer) ? Number(peer.latest_handshake()) : Number(); });
}

}  // namespace

std::string Metrics::text() {
  const SideService::Counters side = subjects_.side_counters();
  const control::HostStatus host = subjects_.status.host(side);
  const gate::Counters& gate = subjects_.gatekeeper.counters();
  Page page;
  page.family("anubis_info", Kind::kGauge, "This host; always 1.");
  page.sample(
      1, fmt::format("{},{},{},{}", label("name", host.name()), label("version", host.version()),
                     label("interface", host.production_interface()), label("backend", host.production_backend())));
  page.family("anubis_degraded", Kind::kGauge, "Whether something is wrong, which the label tells.");
  page.sample(host.degraded().empty() ? 0 : 1, label("reason", host.degraded()));
  // None wanted, or none that could be asked, is no fault.
  if (!host.firewall().empty() && host.firewall() != "disabled") {
    page.family("anubis_firewall_in_place", Kind::kGauge, "Whether our rules stand as the configuration wants them.");
    page.sample(host.firewall() == "in-place" ? 1 : 0);
  }
  page.family("anubis_closed_ports", Kind::kGauge, "Ports of ours that another firewall on this host closes.");
  page.sample(host.closed_ports_size());
  page.family("anubis_peers", Kind::kGauge, "Authorised peers, with open invitations.");
  page.sample(subjects_.directory.size());
  if (const auto installed = subjects_.netd.installed_peers()) {
    page.family("anubis_peers_installed", Kind::kGauge, "Peers that stand on the production interface now.");
    page.sample(installed->size());
  }

  page.family("anubis_requests_accepted_total", Kind::kCounter, "Requests of peers that were carried out.");
  page.sample(gate.requests_accepted);
  page.family("anubis_requests_stale_total", Kind::kCounter, "Requests answered with the time as it is.");
  page.sample(gate.stale);
  page.family("anubis_replies_repeated_total", Kind::kCounter, "Requests that came again, and got the same reply.");
  page.sample(gate.replies_repeated);
  page.family("anubis_requests_dropped_total", Kind::kCounter, "Datagrams that were dropped without an answer.");
  for (std::size_t reason = 0; reason < gate.dropped.size(); ++reason) {
    page.sample(gate.dropped[reason], label("reason", wire::name_of(static_cast<wire::Drop>(reason))));
  }
  page.family("anubis_datagrams_received_total", Kind::kCounter, "Datagrams received at the service port.");
  page.sample(side.received);
  page.family("anubis_datagrams_sent_total", Kind::kCounter, "Datagrams sent from the service port.");
  page.sample(side.sent);
  page.family("anubis_datagrams_not_sent_total", Kind::kCounter, "Datagrams that the system did not take.");
  page.sample(side.not_sent);

  if (subjects_.directory.size() <= subjects_.config.metrics.max_peers) {
    put_peers(page, rows(subjects_.directory, subjects_.config.production.interface, subjects_.status));
  }
  return page.take();
}

}  // namespace anubis::daemon

#include "anubisd/netd/local_netd.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "anubisd/netd/policy_rules.h"
#include "anubisd/netd/source_address.h"
#include "lib/base/log.h"
#include "lib/network/policy_routing.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;

constexpr std::array kInterfaces = {Interface::kSide, Interface::kProduction};

InterfaceSettings production_settings(const config::Production& production) {
  return {.name = production.interface,
          .private_key = &production.private_key,
          .listen_port = production.listen_port,
          .addresses = production.addresses,
          .needs_every_address = false,
          .mtu = production.mtu,
          .fwmark = production.fwmark,
          .backend = production.backend};
}

// The backend is chosen once for both: whoever wants userspace WireGuard wants it for the side tunnel, too.
InterfaceSettings side_settings(const config::Config& config) {
  const auto& side = config.side;
  return {.name = side.interface,
          .private_key = &side.private_key,
          .listen_port = side.listen_port,
          .addresses = {{side.address, side.address.bits()}},
          .needs_every_address = true,
          .mtu = {},
          .fwmark = config.production.fwmark,
          .backend = config.production.backend};
}

}  // namespace

Result<std::unique_ptr<LocalNetd>> LocalNetd::create(const config::Config& config,
                                                     const model::PeerDirectory& directory, network::Network& network,
                                                     Devices& devices, firewall::Firewall& firewall,
                                                     std::unique_ptr<network::Watcher> watcher) {
  base::Fd events(epoll_create1(EPOLL_CLOEXEC));
  if (!events) return base::fail_errno(errno, "cannot watch the interfaces");
  if (config.production.table != network::kMainTable) watcher->watch_table(config.production.table);
  auto surroundings = SurroundingsWatch::create(network);
  if (!surroundings) return fail(surroundings.error());
  std::unique_ptr<LocalNetd> netd(new LocalNetd(config, directory, network, devices, firewall, std::move(watcher),
                                                std::move(events), std::move(*surroundings)));
  if (auto status = netd->watch(netd->watcher_->fd()); !status) return fail(status.error());
  return netd;
}

LocalNetd::LocalNetd(const config::Config& config, const model::PeerDirectory& directory, network::Network& network,
                     Devices& devices, firewall::Firewall& firewall, std::unique_ptr<network::Watcher> watcher,
                     base::Fd events, SurroundingsWatch surroundings)
    : config_(config),
      directory_(directory),
      network_(network),
      watcher_(std::move(watcher)),
      events_(std::move(events)),
      production_(Interface::kProduction, production_settings(config.production), network, devices, drift_),
      side_(Interface::kSide, side_settings(config), network, devices, drift_),
      production_peers_(config_.production, config_.group, directory, network, production_, drift_),
      side_peers_(config_.side, directory, network, side_, drift_),
      firewall_(config_, directory, side_peers_, firewall, drift_),
      surroundings_(std::move(surroundings)) {}

ManagedInterface& LocalNetd::interface(Interface which) {
  switch (which) {
    case Interface::kProduction:
      return production_;
    case Interface::kSide:
      break;
  }
  return side_;
}

Status LocalNetd::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (epoll_ctl(events_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return base::fail_errno(errno, "cannot watch the interfaces");
}

// Once a round of both interfaces is enough.
Status LocalNetd::settle_firewall() {
  if (auto status = firewall_.settle(); !status) return status;
  if (hears_firewall_ || firewall_.event_fd() < 0) return {};
  hears_firewall_ = true;
  return watch(firewall_.event_fd());
}

Status LocalNetd::update_firewall() { return firewall_.let_in(production_peers_.sources()); }

Result<InterfaceReport> LocalNetd::bring_up(Interface which) {
  if (which == Interface::kSide) {
    if (auto status = settle_firewall(); !status) return fail(status.error());
  }
  // Before the interface: its first bearer packet needs the rules.
  if (auto status = apply_routing_policy(policy_stood_ ? &drift_ : nullptr); !status) return fail(status.error());
  policy_stood_ = true;
  ManagedInterface& managed = interface(which);
  auto report = managed.bring_up();
  if (!report) {
    if (which == Interface::kSide && report.error().code == ErrorCode::kUnsupported &&
        config_.side.address.family() == model::Family::kV6) {
      auto error = report.error();
      error.message += "; without IPv6, give this host and its peers IPv4 side addresses (side.address, side_address)";
      return fail(std::move(error));
    }
    return report;
  }
  bool& is_fresh = fresh_[static_cast<std::size_t>(which)];
  if (report->fresh) {
    is_fresh = true;
    if (managed.process_fd() >= 0) {
      if (auto status = watch(managed.process_fd()); !status) return fail(status.error());
    }
  }
  if (auto status = reconcile(which, is_fresh); !status) return fail(status.error().within(managed.name()));
  managed.settled();
  // The host may have moved while nobody looked.
  if (report->fresh) forget_sources(managed);
  report->fresh = std::exchange(is_fresh, false);
  return report;
}

std::vector<Drift> LocalNetd::take_drift() {
  auto drift = drift_.take();
  for (const Interface which : kInterfaces) {
    if (interface(which).is_lost()) drift.push_back({.kind = DriftKind::kLost, .interface = which, .peer = {}});
  }
  return drift;
}

Status LocalNetd::apply_routing_policy(DriftQueue* drift) {
  const auto side_ranges = side_peers_.ranges();
  const auto policy = network::policy_routing({.production_listen_port = config_.production.listen_port,
                                               .side_listen_port = config_.side.listen_port,
                                               .fwmark = config_.production.fwmark,
                                               .table = config_.production.table,
                                               .throw_ranges = config_.production.throw_ranges,
                                               .direct_ranges = config_.production.direct_ranges,
                                               .addresses = config_.production.addresses,
                                               .side_ranges = side_ranges});
  if (!policy) return fail(policy.error());
  return apply_policy(network_, *policy, drift);
}

Status LocalNetd::reconcile(Interface which, bool fresh) {
  switch (which) {
    case Interface::kProduction: {
      // Else the sessions of an earlier process may not be known yet, which the firewall lets in all the time.
      if (auto status = production_peers_.reconcile(fresh); !status) return status;
      return update_firewall();
    }
    case Interface::kSide:
      break;
  }
  return side_peers_.reconcile(fresh);
}

std::vector<Interface> LocalNetd::interfaces_to_heal() {
  std::vector<Interface> wanted;
  const auto want = [&](Interface which) {
    if (interface(which).is_wanted() && std::ranges::find(wanted, which) == wanted.end()) wanted.push_back(which);
  };
  for (const Interface which : kInterfaces) {
    if (interface(which).take_process_end()) want(which);
  }
  if (firewall_.was_changed()) want(Interface::kSide);
  if (!watcher_) return wanted;
  const auto changes = watcher_->drain();
  if (!changes) {
    // The daemon brings the interfaces up every now and then anyway.
    base::log::error("netd.watch-failed", "{}: changes are seen at the next check only", changes.error().message);
    watcher_.reset();
    return wanted;
  }
  if (surroundings_.heed(*changes, own_links())) surroundings_changed();
  for (const Interface which : kInterfaces) {
    if (changes->overrun ||
        std::ranges::any_of(changes->changes, [&](const auto& change) { return concerns(change, which); })) {
      want(which);
    }
  }
  return wanted;
}

bool LocalNetd::concerns(const network::Change& change, Interface which) {
  ManagedInterface& managed = interface(which);
  if (!managed.is_wanted()) return false;
  const bool on_it = change.ifindex == managed.ifindex();
  switch (change.kind) {
    case network::ChangeKind::kLink:
      // Traffic and carrier changes are told, too: look before anybody is troubled.
      return (on_it || change.name == managed.name()) && !managed.stands().value_or(false);
    case network::ChangeKind::kAddress:
      return change.gone && on_it;
    case network::ChangeKind::kRoute:  // a throw route has no link
      return change.gone && (on_it || (change.ifindex == 0 && which == Interface::kProduction));
    case network::ChangeKind::kRule:
      return change.gone && which == Interface::kProduction;
    case network::ChangeKind::kDefaultRoute:
      return false;
  }
  return false;
}

void LocalNetd::surroundings_changed() {
  for (const Interface which : kInterfaces) forget_sources(interface(which));
}

void LocalNetd::forget_sources(ManagedInterface& managed) {
  if (!managed.is_known() || managed.backend() != Backend::kUserspace) return;
  if (const auto status = forget_source_addresses(managed.device()); !status) {
    base::log::warning("netd.source-kept", "{}: {}", managed.name(), status.error().message);
  }
}

std::vector<std::uint32_t> LocalNetd::own_links() const {
  std::vector<std::uint32_t> links;
  for (const ManagedInterface* const managed : {&production_, &side_}) {
    if (managed->is_known()) links.push_back(managed->ifindex());
  }
  return links;
}

Result<std::vector<model::Sighting>> LocalNetd::look_around() {
  if (!config_.roaming.home.empty()) return surroundings_.look(own_links());
  // Nobody can tell anything from it, and the main table may be a router's.
  surroundings_.quiet();
  return std::vector<model::Sighting>();
}

Result<std::vector<PeerIndex>> LocalNetd::installed_peers() { return production_peers_.installed(); }

Result<Presence> LocalNetd::install(const InstallRequest& request) {
  auto presence = production_peers_.install(request);
  if (!presence) return presence;
  if (auto status = update_firewall(); !status) {
    // A session from which nothing may come is none.
    if (*presence == Presence::kCreated) (void)production_peers_.remove(request.peer);
    return fail(status.error());
  }
  return presence;
}

Status LocalNetd::remove(PeerIndex peer) {
  auto status = production_peers_.remove(peer);
  const auto followed = update_firewall();
  return status ? followed : status;
}

Status LocalNetd::carry(PeerIndex client, std::optional<PeerIndex> server) {
  auto status = production_peers_.carry(client, server);
  const auto followed = update_firewall();
  return status ? followed : status;
}

Result<std::vector<Carried>> LocalNetd::carried() { return production_peers_.carried(); }

Status LocalNetd::handshake_done(PeerIndex peer) { return production_peers_.handshake_done(peer); }

std::optional<PeerIndex> LocalNetd::index_of(Interface which, const wireguard::PeerState& state) const {
  switch (which) {
    case Interface::kProduction:
      return directory_.find(crypto::ProductionPublicKey(state.public_key));
    case Interface::kSide:
      break;
  }
  return side_peers_.index_of(state);
}

Status LocalNetd::visit_reports(Interface which, const std::optional<PeerIndex>& only,
                                std::vector<PeerReport>& reports) {
  class Visitor final : public wireguard::DumpVisitor {
   public:
    Visitor(LocalNetd& netd, Interface interface, const std::optional<PeerIndex>& wanted, std::vector<PeerReport>& out)
        : netd_(netd), interface_(interface), wanted_(wanted), out_(out) {}
    void begin(const wireguard::DeviceInfo& /*device*/) override { out_.clear(); }
    void peer(wireguard::PeerState&& state) override {
      const auto index = netd_.index_of(interface_, state);
      if (!index || (wanted_ && *wanted_ != *index)) return;
      if (interface_ == Interface::kProduction) netd_.production_peers_.note_endpoint(*index, state.endpoint);
      out_.push_back({*index, state.endpoint, state.latest_handshake, state.rx_bytes, state.tx_bytes});
    }

   private:
    LocalNetd& netd_;
    Interface interface_;
    const std::optional<PeerIndex>& wanted_;
    std::vector<PeerReport>& out_;
  };

  ManagedInterface& managed = interface(which);
  if (!managed.is_known()) return fail(ErrorCode::kNotFound, managed.name() + " is not there");
  Visitor visitor(*this, which, only, reports);
  return managed.device().visit(visitor);
}

Result<std::vector<PeerReport>> LocalNetd::report(Interface which) {
  std::vector<PeerReport> reports;
  if (auto status = visit_reports(which, {}, reports); !status) return fail(status.error());
  return reports;
}

Result<std::optional<PeerReport>> LocalNetd::report(Interface which, PeerIndex peer) {
  std::vector<PeerReport> reports;
  if (auto status = visit_reports(which, peer, reports); !status) return fail(status.error());
  if (reports.empty()) return std::optional<PeerReport>{};
  return std::optional(std::move(reports.front()));
}

Status LocalNetd::set_side_endpoint(PeerIndex peer, const model::Endpoint& endpoint) {
  return side_peers_.set_endpoint(peer, endpoint);
}

Status LocalNetd::check_bearer_way(const model::IpAddress& destination) {
  const auto route = network_.route_to({.destination = destination,
                                        .ip_protocol = IPPROTO_UDP,
                                        .source_port = config_.production.listen_port,
                                        .fwmark = config_.production.fwmark});
  if (!route) return fail(route.error());
  for (const Interface which : {Interface::kProduction, Interface::kSide}) {
    if (interface(which).is_known() && route->ifindex == interface(which).ifindex())
      return fail(ErrorCode::kUnreachable, destination.to_string() + " is reached through a tunnel only");
  }
  return {};
}

Status LocalNetd::widen_receive_buffer(int datagram_socket) {
  // 10,000 peers that come back at once send 5 MB; the kernel counts about twice as much.
  constexpr int kReceiveBuffer = 8 << 20;
  int kind = 0;
  socklen_t size = sizeof kind;
  if (getsockopt(datagram_socket, SOL_SOCKET, SO_TYPE, &kind, &size) != 0 || kind != SOCK_DGRAM)
    return fail(ErrorCode::kInvalid, "that is no datagram socket");
  if (setsockopt(datagram_socket, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer) == 0) return {};
  return base::fail_errno(errno, "cannot widen a receive buffer");
}

Status LocalNetd::apply_changes(const model::DirectoryChanges& changes) {
  Status first;
  // Whoever is no longer authorised goes first, whatever becomes of the rest.
  for (const auto& [index, peer] : changes.removed) {
    if (auto status = production_peers_.remove(index); !status && first) first = fail(status.error().within(peer.name));
  }
  if (auto status = update_firewall(); !status && first) first = status;
  if (auto status = firewall_.reload(); !status && first) first = status;
  if (auto status = apply_routing_policy(nullptr); !status && first) first = status;
  if (side_.is_known()) {
    if (auto status = side_peers_.take_over(changes); !status && first)
      first = fail(status.error().within(side_.name()));
  }
  return first;
}

Status LocalNetd::apply_firewall() {
  if (auto status = firewall_.apply(); !status) return status;
  return settle_firewall();  // hears of it from now on
}

Status LocalNetd::tear_down() {
  Status first;
  const auto keep = [&](const Status& status) {
    if (!status && first) first = status;
    return status.has_value();
  };
  const auto take_away = [&](auto& peers, ManagedInterface& managed) {
    const bool flushed = keep(peers.flush());
    // What is left on another's interface, we must be able to find again. Ours takes it along.
    if (!flushed && managed.has_device() && !managed.is_ours()) return;
    if (keep(managed.tear_down())) peers.forget();
  };
  take_away(production_peers_, production_);
  take_away(side_peers_, side_);
  // Last: until then bearer packets may still be under way, and the interfaces may stand.
  keep(apply_policy(network_, {}, nullptr));
  keep(firewall_.tear_down());
  policy_stood_ = false;
  return first;
}

}  // namespace anubis::netd

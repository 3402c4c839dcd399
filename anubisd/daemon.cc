#include "anubisd/daemon.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "anubisd/farewells.h"
#include "anubisd/sentences.h"
#include "lib/base/log.h"
#include "lib/base/steps.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using base::BootClock;
namespace log = base::log;

// How many peers are asked for their token at start, so that the first up needs one round trip less. Each costs an
// X25519, and wakes a side tunnel.
constexpr std::size_t kMaxWarmedUp = 256;
// For a peer that the place asks for.
constexpr base::Duration kAutomaticTimeout = 10s;

gate::Settings gate_settings(const netd::PublicConfig& config) {
  return {.name = config.name,
          .group = config.group,
          .listen_port = config.production.listen_port,
          .service_port = config.side.service_port,
          .suites = config.suites};
}

}  // namespace

Daemon::Daemon(Loop& loop, Premises premises, const Surroundings& with)
    : loop_(loop),
      premises_(std::move(premises)),
      config_(with.config),
      directory_(with.directory),
      netd_(with.netd),
      peer_source_(with.peer_source),
      gatekeeper_(gate_settings(config_), directory_, with.keys, config_.production.public_key, with.random),
      resolver_(loop, [this](const model::IpAddress& address) { return netd_.check_bearer_way(address).has_value(); }),
      endpoints_(directory_, netd_, resolver_),
      ports_(directory_),
      memory_(loop, directory_, premises_.state_directory / "sessions"),
      executor_(loop, gatekeeper_, directory_, netd_, endpoints_, ports_, *this),
      liveness_(loop, netd_, gatekeeper_, executor_),
      side_endpoints_(loop, directory_, netd_, ports_, resolver_, with.random,
                      [this](model::PeerIndex peer) { warm_up(peer); }),
      interfaces_(loop, netd_, *this),
      roaming_(loop, netd_, directory_, config_.roaming, *this),
      status_(config_, directory_, gatekeeper_, netd_, interfaces_, roaming_),
      hosts_(config_.hosts),
      metrics_({.config = config_,
                .directory = directory_,
                .gatekeeper = gatekeeper_,
                .netd = netd_,
                .status = status_,
                .side_counters = [this] { return side_counters(); }}),
      reloader_(loop, with.peer_source, [this](netd::Reloaded fresh) { return take_over(std::move(fresh)); }),
      commands_({.loop = loop,
                 .directory = directory_,
                 .gatekeeper = gatekeeper_,
                 .executor = executor_,
                 .pending = pending_,
                 .netd = netd_,
                 .status = status_,
                 .reloader = reloader_,
                 .roaming = roaming_,
                 .hosts = hosts_,
                 .metrics = metrics_,
                 .side_counters = [this] { return side_counters(); }}),
      server_(loop, std::move(premises_.listener), premises_.group, config_.control.group, commands_),
      stop_budget_(loop) {
  commands_.answer_through(server_);
}

base::Status Daemon::start() {
  if (auto status = bring_up(); !status) {
    // Sessions of an earlier daemon are worth more than a tidy failure.
    const auto sessions = netd_.installed_peers();
    if (!sessions || sessions->empty()) (void)netd_.tear_down();
    return status;
  }
  side_endpoints_.adopt_ports();
  directory_.for_each([this](model::PeerIndex peer, const model::Peer&) { reach_out(peer); });
  gatekeeper_.find_fellows(BootClock::now());
  executor_.settle();
  roaming_.start();
  log::info("daemon.ready", "{}: {} peer{}, control socket {}", config_.name, directory_.size(),
            directory_.size() == 1 ? "" : "s", premises_.socket.native());
  return {};
}

base::Status Daemon::bring_up() {
  if (auto status = interfaces_.start(); !status) return status;
  base::step("start.interfaces");
  if (auto status = resume_sessions(); !status) return status;
  base::step("start.adopted");
  if (auto status = open_side_service(); !status) return status;
  serve_companions();
  base::step("start.listening");
  if (config_.metrics.listen) {
    metrics_server_.emplace(loop_, http::Settings{.address = *config_.metrics.listen, .path = "/metrics"}, "metrics",
                            [this](const http::Request& request) { return answer_metrics(request); });
  }
  return server_.start();
}

SideService::Counters Daemon::side_counters() const {
  return side_service_ ? side_service_->counters() : SideService::Counters{};
}

http::Response Daemon::answer_metrics(const http::Request& request) {
  constexpr const char* kPlain = "text/plain; charset=utf-8";
  if (request.path != "/metrics") return {.status = 404, .type = kPlain, .body = "here is only /metrics\n"};
  if (request.method != "GET") {
    return {.status = 405, .type = kPlain, .headers = {{"Allow", "GET, HEAD"}}, .body = "GET, please\n"};
  }
  return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_.text()};
}

base::Status Daemon::resume_sessions() {
  const auto installed = netd_.installed_peers();
  if (!installed) return base::fail(installed.error());
  const base::Time now = BootClock::now();
  RememberedSessions remembered = memory_.load(now);
  if (const auto carried = netd_.carried()) {
    for (const netd::Carried& each : *carried) gatekeeper_.resume_with(each.client, each.server);
  }
  for (const model::PeerIndex peer : *installed) {
    const auto found = remembered.extract(directory_.get(peer)->public_key);
    gatekeeper_.resume(peer, found.empty() ? std::nullopt : std::optional(found.mapped()), true, now);
    // It was there before us, as wg-quick has peers: nobody asked for its end.
    const bool stood_before = found.empty() && !interfaces_.report(netd::Interface::kProduction).created_by_us;
    if (stood_before && directory_.get(peer)->is_plain) gatekeeper_.keep(peer, now);
  }
  for (const auto& [key, facts] : remembered) {
    gatekeeper_.resume(*directory_.find(key), facts, false, now);
  }
  liveness_.start();
  if (!installed->empty()) log::info("session.adopted", "{} that were up before this start", installed->size());
  return {};
}

base::Status Daemon::open_side_service() {
  executor_.use(nullptr);
  side_service_.reset();
  auto service =
      SideService::create(loop_,
                          {.address = config_.side.address,
                           .port = config_.side.service_port,
                           .interface = config_.side.interface,
                           .widen_receive_buffer = [this](int socket) { return netd_.widen_receive_buffer(socket); }},
                          executor_);
  if (!service) return base::fail(service.error());
  side_service_ = std::move(*service);
  executor_.use(side_service_.get());
  return {};
}

void Daemon::serve_companions() {
  if (config_.companion_port == 0) return;
  companion_ = std::make_unique<CompanionPage>(
      loop_, model::Endpoint{.address = config_.side.address, .port = config_.companion_port}, config_.side.interface,
      [this](std::span<const std::uint8_t> message, const model::IpAddress& source) {
        return executor_.ask(message, source);
      });
}

void Daemon::reach_out(model::PeerIndex peer) {
  side_endpoints_.follow(peer);
  const auto& side_endpoint = directory_.get(peer)->side_endpoint;
  if (side_endpoint && side_endpoint->literal()) warm_up(peer);  // a name: when it is resolved
}

void Daemon::warm_up(model::PeerIndex peer) {
  if (warmed_up_ >= kMaxWarmedUp) return;
  ++warmed_up_;
  gatekeeper_.warm_up(peer, BootClock::now());
  executor_.settle();
}

void Daemon::stop() {
  if (std::exchange(stopping_, true)) return finish_stop();
  log::info("daemon.stopping", "telling the peers that are up");
  base::step("stop.begun");
  server_.close();
  companion_.reset();
  interfaces_.stop();
  roaming_.stop();
  const base::Duration budget = config_.control.stop_timeout;
  stop_budget_.after(budget, [this] { finish_stop(); });
  gatekeeper_.leave(BootClock::now());
  say_farewell({.loop = loop_,
                .gatekeeper = gatekeeper_,
                .executor = executor_,
                .pending = pending_,
                .directory = directory_,
                .concerns = is_going_on,
                .end = [this, budget](gate::CommandId command, model::PeerIndex peer,
                                      base::Time now) { gatekeeper_.bye(command, peer, {}, budget, now); },
                .each = [](const FarewellProgress&, const gate::FinishCommand&) {},
                .all = [this](const FarewellProgress&) { finish_stop(); }});
}

void Daemon::finish_stop() {
  base::step("stop.told");
  stop_budget_.cancel();
  if (const auto status = netd_.tear_down(); !status) log::error("daemon.left-behind", "{}", status.error().message);
  base::step("stop.torn-down");
  loop_.stop();
}

void Daemon::hand_over() {
  log::info("daemon.handed-over", "sessions and interfaces stay as they are");
  loop_.stop();
}

void Daemon::abandon() {
  executor_.halt();
  loop_.stop();
}

void Daemon::reload() {
  reloader_.reload([](const base::Result<std::string>&) {});  // it has been logged
}

base::Result<std::string> Daemon::take_over(netd::Reloaded fresh) {
  const model::DirectoryChanges changes = directory_.replace(std::move(fresh.peers));
  const base::Status& applied = fresh.applied;
  const base::Time now = BootClock::now();
  for (const auto& [peer, was] : changes.removed) {
    endpoints_.forget(peer);
    ports_.forget(peer);
    side_endpoints_.forget(peer);
    gatekeeper_.peer_removed(peer, now);
    if (!was.is_invitation) tell("removed", was.name);
  }
  for (const model::PeerIndex peer : changes.changed) {
    endpoints_.forget(peer);
    ports_.forget(peer);
    side_endpoints_.follow(peer);
    gatekeeper_.peer_changed(peer, now);
    if (!directory_.get(peer)->is_invitation) tell("changed", directory_.get(peer)->name);
  }
  for (const model::PeerIndex peer : changes.added) {
    reach_out(peer);
    if (!directory_.get(peer)->is_invitation) tell("added", directory_.get(peer)->name);
  }
  gatekeeper_.find_fellows(now);
  executor_.settle();
  status_.forget_reports();
  roaming_.reloaded(fresh.roaming);
  hosts_ = std::move(fresh.hosts);
  std::string message = reloaded(directory_.size(), changes);
  tell("reloaded", {}, message);
  if (!applied) {
    return base::fail(applied.error().code, fmt::format("{}; but not all of it could be put into force: {}", message,
                                                        applied.error().message));
  }
  return message;
}

void Daemon::session_changed(const gate::SessionChanged& changed) {
  status_.forget_reports();
  liveness_.start();
  const model::Peer* peer = directory_.get(changed.peer);
  if (peer == nullptr) return;
  const std::string name = std::string("session.") + gate::name_of(changed.state);
  const auto level = changed.state == gate::SessionState::kFailed ? log::Level::kWarning : log::Level::kInfo;
  log::write(level, {name, peer->name},
             changed.reason.empty() ? peer->name : fmt::format("{}: {}", peer->name, changed.reason));

  control::Event event;
  event.set_kind("state");
  event.set_peer(peer->name);
  event.set_state(gate::name_of(changed.state));
  event.set_initiator(changed.initiator);
  event.set_reason(changed.reason);
  commands_.tell(std::move(event));
}

void Daemon::client_moved(const gate::CarryClient& moved) {
  status_.forget_reports();
  const std::string& client = directory_.get(moved.client)->name;
  const model::Peer* const server = moved.server ? directory_.get(*moved.server) : nullptr;
  const std::string where = server != nullptr ? "with " + server->name : "with no other server";
  log::info({"session.with", client}, "{} is {} now", client, where);
  control::Event event;
  event.set_kind("with");
  event.set_peer(client);
  if (server != nullptr) event.set_state(server->name);
  commands_.tell(std::move(event));
}

base::Status Daemon::enrol(const gate::EnrolPeer& wanted) {
  const std::string name = directory_.get(wanted.peer)->name;
  auto status = peer_source_.enrol(
      wanted.peer, {wanted.enrolment.public_key, wanted.enrolment.side_public_key, wanted.enrolment.proof});
  if (!status) {
    log::warning("invitation.refused", "{}: {}", name, status.error().message);
    return status;
  }
  if (directory_.find(wanted.enrolment.public_key)) return {};  // it asks again
  log::info("invitation.accepted", "{}: its host has joined", name);
  reloader_.reload([](const base::Result<std::string>&) {});  // which logs what becomes of it
  return {};
}

void Daemon::heard(const model::IpAddress& side_address) {
  const auto peer = directory_.find_by_side_address(side_address);
  if (peer && ports_.works(*peer)) over_another_port(*peer);
}

void Daemon::over_another_port(model::PeerIndex peer) {
  const model::Peer& configured = *directory_.get(peer);
  status_.forget_reports();
  const auto further = ports_.further(peer);
  const std::string text = further ? fmt::format("bearer packets pass over port {}", *further)
                                   : "bearer packets pass over the configured ports";
  log::info({"endpoint.port", configured.name}, "{}: {}", configured.name, text);
  tell("port", configured.name, text);
  // A session that is up goes on where the answer came from; one that is coming up is installed there.
  if (gatekeeper_.view(peer, BootClock::now()).state != gate::SessionState::kUp) return;
  const auto endpoint = endpoints_.known(peer, 0);
  if (!endpoint) return;
  auto status = netd_.install({.peer = peer,
                               .endpoint = ports_.over_port_in_use(peer, *endpoint),
                               .initiate_handshake = true,
                               .with_routes = false});
  // The packet that shows the peer where we are has been sent.
  const auto done = status ? netd_.handshake_done(peer) : base::fail(status.error());
  if (!done) log::warning({"endpoint.port-failed", configured.name}, "{}: {}", configured.name, done.error().message);
}

base::Status Daemon::made_anew(netd::Interface which) {
  status_.forget_reports();
  switch (which) {
    case netd::Interface::kProduction:
      gatekeeper_.reinstall_all(BootClock::now());
      executor_.settle();
      return {};
    case netd::Interface::kSide:
      // The old socket is bound to a device that is gone.
      if (auto status = open_side_service(); !status) return status;
      if (companion_) companion_->restart();
      directory_.for_each([this](model::PeerIndex peer, const model::Peer&) { side_endpoints_.follow(peer); });
      return {};
  }
  return {};
}

void Daemon::drifted(const netd::Drift& drift) {
  const model::Peer* const peer = drift.peer ? directory_.get(*drift.peer) : nullptr;
  const std::string name = peer != nullptr ? peer->name : std::string();
  const std::string what = daemon::drifted(drift, interfaces_.report(drift.interface), name);
  log::warning({"interface.drift", name}, "{}", what);
  tell("drift", name, what);
  // netd knows where it was, but not what its name means by now.
  if (drift.kind == netd::DriftKind::kPeerRemoved && drift.interface == netd::Interface::kSide && peer != nullptr)
    side_endpoints_.follow(*drift.peer);
}

void Daemon::production_lost(const std::string& reason) {
  log::error("interface.production-lost", "no session carries anything, the peers are told: {}", reason);
  gatekeeper_.interface_lost(BootClock::now());
  executor_.settle();
}

void Daemon::production_back() {
  log::info("interface.production-back", "sessions can carry traffic again");
  gatekeeper_.network_changed(BootClock::now());
  executor_.settle();
}

void Daemon::health_changed(const std::string& degraded) {
  tell(degraded.empty() ? "healed" : "degraded", {}, degraded);
}

void Daemon::wants(model::PeerIndex peer, bool up) {
  const base::Time now = BootClock::now();
  const auto finished = [this, up](const gate::FinishCommand& command) {
    const model::Peer* const found = directory_.get(command.peer);
    if (found == nullptr || command.outcome.verdict == gate::Verdict::kDone) return;
    log::warning({"roaming.failed", found->name}, "{} could not be {}{}: {}", found->name,
                 up ? "brought up" : "taken down", command.outcome.is_tried_again ? " yet" : "", command.outcome.text);
  };
  if (up) {
    gatekeeper_.up(pending_.expect(finished), peer,
                   {.timeout = kAutomaticTimeout, .insistence = gate::Insistence::kAlways}, now);
  } else if (is_going_on(gatekeeper_.view(peer, now))) {
    gatekeeper_.down(pending_.expect(finished), peer, kAutomaticTimeout, now);
  }
  executor_.settle();
}

void Daemon::place_changed(const roaming::Whereabouts& whereabouts) {
  control::Event event;
  event.set_kind("place");
  event.set_state(roaming::name_of(whereabouts.place));
  event.set_reason(whereabouts.reason);
  commands_.tell(std::move(event));
}

void Daemon::network_changed() {
  status_.forget_reports();
  side_endpoints_.network_changed();
  gatekeeper_.network_changed(BootClock::now());
  executor_.settle();
}

void Daemon::tell(const char* kind, const std::string& peer, const std::string& reason) {
  control::Event event;
  event.set_kind(kind);
  event.set_peer(peer);
  event.set_reason(reason);
  commands_.tell(std::move(event));
}

}  // namespace anubis::daemon

// The daemon, put together. Who calls whom:
//
//   control socket ── Commands ──┐                    ┌── SideService ── side interface
//   signals ── Reloader ─────────┼── Gatekeeper ── Executor ── Netd
//   Interfaces ──────────────────┘                    └── Endpoints, HandshakeWatch
//
// Everything runs on one loop; only the resolver and the reading of a configuration have threads of their own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "anubisd/commands.h"
#include "anubisd/companion/page.h"
#include "anubisd/control/server.h"
#include "anubisd/endpoints.h"
#include "anubisd/executor.h"
#include "anubisd/http/server.h"
#include "anubisd/interfaces.h"
#include "anubisd/liveness_watch.h"
#include "anubisd/metrics.h"
#include "anubisd/netd/netd.h"
#include "anubisd/netd/public_config.h"
#include "anubisd/peer_ports.h"
#include "anubisd/premises.h"
#include "anubisd/reloader.h"
#include "anubisd/roaming.h"
#include "anubisd/session_memory.h"
#include "anubisd/side_endpoints.h"
#include "anubisd/side_service.h"
#include "anubisd/status.h"
#include "lib/base/random.h"
#include "lib/gate/gatekeeper.h"
#include "lib/gate/key_agreement.h"
#include "lib/model/directory.h"
#include "lib/model/host.h"

namespace anubis::daemon {

class Daemon final : private Executor::Listener, private Interfaces::Listener, private Roaming::Listener {
 public:
  // What the daemon works with; all of it must outlive it.
  struct Surroundings {
    const netd::PublicConfig& config;
    model::InMemoryDirectory& directory;  // holds the peers
    netd::Netd& netd;
    netd::PeerSource& peer_source;
    gate::KeyAgreement& keys;
    base::Random& random;
  };
  Daemon(Loop& loop, Premises premises, const Surroundings& surroundings);

  // After a failure nothing of it runs.
  base::Status start();

  // Says bye to the peers, takes everything away, and stops the loop; within the configuration's stop_timeout, whatever
  // the network does. Asked again, it stops at once.
  void stop();
  // Stops the loop and leaves interfaces and sessions as they are, for the next daemon to adopt.
  void hand_over();
  // netd has gone: stops the loop, and nothing is done any more.
  void abandon();
  void reload();

 private:
  void command_finished(const gate::FinishCommand& finished) override { pending_.finished(finished); }
  void session_changed(const gate::SessionChanged& changed) override;
  void remember(const gate::RememberSession& session) override { memory_.remember(session); }
  void client_moved(const gate::CarryClient& moved) override;
  base::Status enrol(const gate::EnrolPeer& wanted) override;
  void unheard(model::PeerIndex peer, unsigned times) override { side_endpoints_.unheard(peer, times); }
  void heard(const model::IpAddress& side_address) override;
  base::Status made_anew(netd::Interface which) override;
  void drifted(const netd::Drift& drift) override;
  void production_lost(const std::string& reason) override;
  void production_back() override;
  void health_changed(const std::string& degraded) override;
  void wants(model::PeerIndex peer, bool up) override;
  void place_changed(const roaming::Whereabouts& whereabouts) override;
  void network_changed() override;

  base::Status bring_up();
  base::Status resume_sessions();
  base::Status open_side_service();
  void serve_companions();
  [[nodiscard]] SideService::Counters side_counters() const;
  [[nodiscard]] http::Response answer_metrics(const http::Request& request);
  void reach_out(model::PeerIndex peer);
  void warm_up(model::PeerIndex peer);
  [[nodiscard]] base::Result<std::string> take_over(netd::Reloaded fresh);
  void over_another_port(model::PeerIndex peer);
  void tell(const char* kind, const std::string& peer, const std::string& reason = {});
  void finish_stop();

  Loop& loop_;
  Premises premises_;
  const netd::PublicConfig& config_;
  model::InMemoryDirectory& directory_;
  netd::Netd& netd_;
  netd::PeerSource& peer_source_;

  gate::Gatekeeper gatekeeper_;
  Resolver resolver_;
  Endpoints endpoints_;
  PeerPorts ports_;
  PendingCommands pending_;
  SessionMemory memory_;
  Executor executor_;
  LivenessWatch liveness_;
  SideEndpoints side_endpoints_;
  Interfaces interfaces_;
  Roaming roaming_;
  std::unique_ptr<SideService> side_service_;
  std::unique_ptr<CompanionPage> companion_;  // null: none is configured
  Status status_;
  model::Hosts hosts_;
  Metrics metrics_;
  Reloader reloader_;
  Commands commands_;
  ControlServer server_;
  std::optional<http::Server> metrics_server_;
  std::size_t warmed_up_ = 0;
  bool stopping_ = false;
  Timer stop_budget_;
};

}  // namespace anubis::daemon

// Carries out what clients of the control socket command.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include <control.pb.h>

#include "anubisd/control/server.h"
#include "anubisd/executor.h"
#include "anubisd/farewells.h"
#include "anubisd/metrics.h"
#include "anubisd/pending_commands.h"
#include "anubisd/reloader.h"
#include "anubisd/roaming.h"
#include "anubisd/sentences.h"
#include "anubisd/status.h"
#include "lib/gate/gatekeeper.h"
#include "lib/model/directory.h"
#include "lib/model/host.h"

namespace anubis::daemon {

class Commands final : public ControlServer::Handler {
 public:
  // What commands act upon; all of it outlives them.
  struct Subjects {
    Loop& loop;
    const model::PeerDirectory& directory;
    gate::Gatekeeper& gatekeeper;
    Executor& executor;
    PendingCommands& pending;
    netd::Netd& netd;
    Status& status;
    Reloader& reloader;
    Roaming& roaming;
    const model::Hosts& hosts;
    Metrics& metrics;
    std::function<SideService::Counters()> side_counters;
  };
  explicit Commands(Subjects subjects) : subjects_(std::move(subjects)) {}

  // Before the first command comes.
  void answer_through(ControlServer& server) { server_ = &server; }

  void command(ClientId client, const control::Command& command) override;
  void client_gone(ClientId client) override { monitors_.erase(client); }

  // To all who monitor.
  void tell(control::Event event);

 private:
  void up(ClientId client, const control::Up& command);
  void switch_to(ClientId client, const control::Switch& command);
  void bring_up(ClientId client, model::PeerIndex peer, const gate::UpRequest& request);
  void down(ClientId client, const control::Down& command);
  void drain(ClientId client, const control::Drain& command);
  // Ends the sessions that the farewells concern, and tells the client of each.
  void end_many(ClientId client, Farewells farewells);
  // Without whom they concern and how they end.
  [[nodiscard]] Farewells farewells();
  void status(ClientId client, const control::Status& command);
  void peers(ClientId client);
  void hosts(ClientId client);
  void metrics(ClientId client);
  void monitor(ClientId client);
  void reload(ClientId client);
  void firewall(ClientId client, control::Firewall::Action action);
  void show_firewall(ClientId client);
  void nm_event(ClientId client, const control::NmEvent& event);

  [[nodiscard]] std::optional<model::PeerIndex> find_or_refuse(ClientId client, const std::string& name);
  void send(ClientId client, const control::Response& response);
  void finish(ClientId client, control::Done done);
  void finish(ClientId client, control::ExitStatus status, std::string message);
  // One response a peer, as fast as the client reads, then the rest, then DONE.
  void stream_peers(ClientId client, std::function<void(model::PeerIndex, control::Response&)> fill,
                    std::vector<control::Response> rest = {});
  [[nodiscard]] PeerFacts facts(model::PeerIndex peer);

  Subjects subjects_;
  ControlServer* server_ = nullptr;
  std::unordered_set<ClientId> monitors_;
};

}  // namespace anubis::daemon

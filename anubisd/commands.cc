#include "anubisd/commands.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "anubisd/facts.h"
#include "lib/base/log.h"
#include "lib/base/steps.h"
#include "lib/config/config.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kDefaultTimeout = 10s;
constexpr base::Duration kLongestTimeout = 1h;

base::Duration timeout_of(std::uint32_t milliseconds) {
  if (milliseconds == 0) return kDefaultTimeout;
  return std::min<base::Duration>(std::chrono::milliseconds(milliseconds), kLongestTimeout);
}

std::uint64_t microseconds(base::Duration duration) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

control::Done done_of(const gate::Outcome& outcome) {
  control::Done done;
  done.set_status(exit_status(outcome.verdict));
  done.set_took_us(microseconds(outcome.took));
  done.set_was_so_already(outcome.was_so_already);
  return done;
}

}  // namespace

void Commands::command(ClientId client, const control::Command& command) {
  base::step("command.begun");
  switch (command.command_case()) {
    case control::Command::kUp:
      return up(client, command.up());
    case control::Command::kSwitchTo:
      return switch_to(client, command.switch_to());
    case control::Command::kDown:
      return down(client, command.down());
    case control::Command::kStatus:
      return status(client, command.status());
    case control::Command::kPeers:
      return peers(client);
    case control::Command::kMonitor:
      return monitor(client);
    case control::Command::kDrain:
      return drain(client, command.drain());
    case control::Command::kReload:
      return reload(client);
    case control::Command::kFirewall:
      return firewall(client, command.firewall().action());
    case control::Command::kNmEvent:
      return nm_event(client, command.nm_event());
    case control::Command::kHosts:
      return hosts(client);
    case control::Command::kMetrics:
      return metrics(client);
    case control::Command::COMMAND_NOT_SET:
      return finish(client, control::FAILED,
                    "this anubisd does not know that command: it is older than the `anubis` that sent it; restart it "
                    "after an upgrade");
  }
}

void Commands::up(ClientId client, const control::Up& command) {
  const auto peer = find_or_refuse(client, command.name());
  if (!peer) return;
  gate::UpRequest request{.timeout = timeout_of(command.timeout_ms())};
  if (command.has_lease_seconds()) request.lease = std::chrono::seconds(command.lease_seconds());
  if (command.wanted_for_seconds() > 0) request.wanted_for = std::chrono::seconds(command.wanted_for_seconds());
  if (command.persist()) request.insistence = gate::Insistence::kPersistent;
  bring_up(client, *peer, request);
}

void Commands::switch_to(ClientId client, const control::Switch& command) {
  const auto peer = find_or_refuse(client, command.name());
  if (!peer) return;
  if (subjects_.directory.get(*peer)->group.empty()) {
    return finish(
        client, control::FAILED,
        fmt::format("{0} is in no group: give it and the servers that it stands in for the same group, or say "
                    "anubis up {0}",
                    command.name()));
  }
  bring_up(client, *peer, {.timeout = timeout_of(command.timeout_ms()), .instead_of_group = true});
}

void Commands::bring_up(ClientId client, model::PeerIndex peer, const gate::UpRequest& request) {
  const auto id = subjects_.pending.expect([this, client](const gate::FinishCommand& finished) {
    const gate::Outcome& outcome = finished.outcome;
    control::Done done = done_of(outcome);
    if (subjects_.directory.get(finished.peer) != nullptr) {
      if (outcome.verdict != gate::Verdict::kDone) done.set_message(up_failure(outcome, facts(finished.peer)));
      const auto view = subjects_.gatekeeper.view(finished.peer, base::BootClock::now());
      if (view.lease_left) {
        done.set_lease_seconds_left(
            static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(*view.lease_left).count()));
      }
    } else {
      done.set_message(outcome.text);
    }
    finish(client, std::move(done));
  });
  subjects_.gatekeeper.up(id, peer, request, base::BootClock::now());
  subjects_.executor.settle();
}

void Commands::down(ClientId client, const control::Down& command) {
  const base::Duration timeout = timeout_of(command.timeout_ms());
  if (command.all()) {
    Farewells all = farewells();
    all.concerns = is_going_on;
    all.end = [this, timeout](gate::CommandId id, model::PeerIndex peer, base::Time now) {
      subjects_.gatekeeper.bye(id, peer, {.for_good = true, .successor = {}}, timeout, now);
    };
    return end_many(client, std::move(all));
  }
  const auto peer = find_or_refuse(client, command.name());
  if (!peer) return;
  const auto id = subjects_.pending.expect([this, client](const gate::FinishCommand& finished) {
    control::Done done = done_of(finished.outcome);
    if (subjects_.directory.get(finished.peer) == nullptr) {
      done.set_message(finished.outcome.text);
    } else if (finished.outcome.verdict != gate::Verdict::kDone) {
      done.set_message(down_failure(finished.outcome, facts(finished.peer)));
    }
    finish(client, std::move(done));
  });
  subjects_.gatekeeper.down(id, *peer, timeout, base::BootClock::now());
  subjects_.executor.settle();
}

void Commands::drain(ClientId client, const control::Drain& command) {
  const auto successor = find_or_refuse(client, command.to());
  if (!successor) return;
  const base::Duration timeout = timeout_of(command.timeout_ms());
  const gate::Farewell farewell{.successor = subjects_.directory.get(*successor)->public_key};
  Farewells all = farewells();
  all.concerns = [](const gate::SessionView& session) { return session.state == gate::SessionState::kUp; };
  all.end = [this, farewell, timeout](gate::CommandId id, model::PeerIndex peer, base::Time now) {
    subjects_.gatekeeper.bye(id, peer, farewell, timeout, now);
  };
  all.except = successor;
  end_many(client, std::move(all));
}

Farewells Commands::farewells() {
  return {.loop = subjects_.loop,
          .gatekeeper = subjects_.gatekeeper,
          .executor = subjects_.executor,
          .pending = subjects_.pending,
          .directory = subjects_.directory};
}

void Commands::end_many(ClientId client, Farewells farewells) {
  struct Failures {
    std::size_t count = 0;
    control::ExitStatus status = control::DONE;  // of the first
  };
  const auto failures = std::make_shared<Failures>();
  const base::Time started = base::BootClock::now();
  farewells.each = [this, client, failures](const FarewellProgress& at, const gate::FinishCommand& finished) {
    control::Response response;
    control::Progress& progress = *response.mutable_progress();
    progress.set_done(static_cast<std::uint32_t>(at.done));
    progress.set_total(static_cast<std::uint32_t>(at.total));
    const model::Peer* peer = subjects_.directory.get(finished.peer);
    if (peer != nullptr) progress.set_name(peer->name);
    if (peer != nullptr && finished.outcome.verdict != gate::Verdict::kDone) {
      if (failures->count++ == 0) failures->status = exit_status(finished.outcome.verdict);
      progress.set_message(down_failure(finished.outcome, facts(finished.peer)));
    }
    send(client, response);
  };
  farewells.all = [this, client, failures, started](const FarewellProgress& at) {
    control::Done done;
    done.set_status(failures->status);
    done.set_took_us(microseconds(base::BootClock::now() - started));
    done.set_was_so_already(at.total == 0);
    if (failures->count != 0) {
      done.set_message(fmt::format("{} of {} peers could not be taken down at both ends", failures->count, at.total));
    }
    finish(client, std::move(done));
  };
  say_farewell(std::move(farewells));
}

void Commands::status(ClientId client, const control::Status& command) {
  std::optional<model::PeerIndex> only;
  if (!command.name().empty()) {
    only = find_or_refuse(client, command.name());
    if (!only) return;
  }
  control::Response host;
  *host.mutable_host() = subjects_.status.host(subjects_.side_counters());
  send(client, host);
  if (only) {
    control::Response response;
    *response.mutable_peer() = subjects_.status.peer(*only);
    send(client, response);
    return finish(client, control::DONE, {});
  }
  stream_peers(client, [this](model::PeerIndex peer, control::Response& response) {
    *response.mutable_peer() = subjects_.status.peer(peer);
  });
}

void Commands::peers(ClientId client) {
  stream_peers(client, [this](model::PeerIndex peer, control::Response& response) {
    *response.mutable_authorised() = Status::authorised(*subjects_.directory.get(peer));
  });
}

void Commands::hosts(ClientId client) {
  control::Response own;
  *own.mutable_named_host() = Status::named(subjects_.hosts.own, "this host");
  send(client, own);
  std::vector<control::Response> others(subjects_.hosts.others.size());
  for (std::size_t i = 0; i < others.size(); ++i) {
    *others[i].mutable_named_host() = Status::named(subjects_.hosts.others[i], "host");
  }
  stream_peers(
      client,
      [this](model::PeerIndex peer, control::Response& response) {
        *response.mutable_named_host() = Status::named(*subjects_.directory.get(peer));
      },
      std::move(others));
}

void Commands::metrics(ClientId client) {
  Client* reader = server_->find(client);
  if (reader == nullptr) return;
  constexpr std::size_t kPart = std::size_t{64} << 10;
  reader->stream([text = subjects_.metrics.text(), sent = std::size_t{0}]() mutable {
    control::Response response;
    if (sent == text.size()) {
      response.mutable_done()->set_status(control::DONE);
    } else {
      response.mutable_metrics()->set_text(text.substr(sent, kPart));
      sent = std::min(sent + kPart, text.size());
    }
    return response;
  });
}

void Commands::stream_peers(ClientId client, std::function<void(model::PeerIndex, control::Response&)> fill,
                            std::vector<control::Response> rest) {
  Client* reader = server_->find(client);
  if (reader == nullptr) return;
  std::vector<model::PeerIndex> order;
  order.reserve(subjects_.directory.size());
  subjects_.directory.for_each([&](model::PeerIndex index, const model::Peer& peer) {
    if (!peer.is_invitation) order.push_back(index);
  });
  reader->stream([this, order = std::move(order), next = std::size_t{0}, fill = std::move(fill), rest = std::move(rest),
                  next_of_rest = std::size_t{0}]() mutable {
    while (next < order.size() && subjects_.directory.get(order[next]) == nullptr) ++next;  // a reload removed it
    control::Response response;
    if (next == order.size() && next_of_rest < rest.size()) {
      response = std::move(rest[next_of_rest++]);
    } else if (next == order.size()) {
      response.mutable_done()->set_status(control::DONE);
    } else {
      fill(order[next++], response);
    }
    return response;
  });
}

void Commands::monitor(ClientId client) {
  control::Response host;
  *host.mutable_host() = subjects_.status.host(subjects_.side_counters());
  send(client, host);
  monitors_.insert(client);
}

void Commands::reload(ClientId client) {
  subjects_.reloader.reload([this, client](const base::Result<std::string>& message) {
    if (message) {
      finish(client, control::DONE, *message);
    } else {
      finish(client, control::FAILED, message.error().message);
    }
  });
}

void Commands::firewall(ClientId client, control::Firewall::Action action) {
  if (action == control::Firewall::SHOW) return show_firewall(client);
  if (!server_->is_administrator(client)) {
    return finish(client, control::NOT_PERMITTED,
                  "only root may change the firewall: it keeps peers from more than bringing themselves up");
  }
  const bool applies = action == control::Firewall::APPLY;
  const auto status = applies ? subjects_.netd.apply_firewall() : subjects_.netd.remove_firewall();
  if (!status) return finish(client, control::FAILED, status.error().message);
  const auto report = subjects_.netd.firewall_report();
  base::log::warning(applies ? "firewall.applied" : "firewall.removed", "by hand");
  finish(client, control::DONE, firewall_changed(applies, report ? report->is_configured : true));
}

void Commands::show_firewall(ClientId client) {
  const auto report = subjects_.netd.firewall_report();
  if (!report) return finish(client, control::FAILED, report.error().message);
  const auto rules = subjects_.netd.firewall_rules();
  // Where there is no nftables and none is wanted, there are no rules, and that is all.
  if (!rules && report->state != netd::FirewallState::kDisabled)
    return finish(client, control::FAILED, rules.error().message);
  control::Response response;
  *response.mutable_firewall() = Status::firewall(*report);
  response.mutable_firewall()->set_rules(rules.value_or(std::string()));
  send(client, response);
  finish(client, control::DONE, {});
}

void Commands::nm_event(ClientId client, const control::NmEvent& event) {
  base::log::debug("roaming.nm-event", "{} {}", event.interface(), event.action());
  std::optional<std::vector<roaming::Connection>> connections;
  if (event.connections_known()) {
    connections.emplace();
    for (const control::ActiveConnection& connection : event.connections()) {
      connections->push_back({connection.name(), connection.uuid()});
    }
  }
  subjects_.roaming.told(std::move(connections));
  finish(client, control::DONE, {});
}

void Commands::tell(control::Event event) {
  if (monitors_.empty()) return;
  event.set_time(to_unix_seconds(base::BootClock::now()));
  control::Response response;
  *response.mutable_event() = std::move(event);
  const std::vector<ClientId> all(monitors_.begin(), monitors_.end());  // sending may end one
  for (const ClientId client : all) send(client, response);
}

std::optional<model::PeerIndex> Commands::find_or_refuse(ClientId client, const std::string& name) {
  auto peer = subjects_.directory.find_by_name(name);
  if (peer && subjects_.directory.get(*peer)->is_invitation) peer.reset();
  if (!peer) {
    const std::string escaped = base::log::escaped(name, 64);
    const bool is_invited = subjects_.directory.find_by_name(name + std::string(config::kInvitationSuffix)).has_value();
    finish(client, control::NO_SUCH_PEER,
           is_invited ? escaped + " was invited and has not joined yet" : no_such_peer(escaped, subjects_.directory));
  }
  return peer;
}

void Commands::send(ClientId client, const control::Response& response) {
  if (Client* reader = server_->find(client)) reader->send(response);
}

void Commands::finish(ClientId client, control::Done done) {
  base::step("command.finished");
  if (Client* reader = server_->find(client)) reader->finish(std::move(done));
}

void Commands::finish(ClientId client, control::ExitStatus status, std::string message) {
  control::Done done;
  done.set_status(status);
  done.set_message(std::move(message));
  finish(client, std::move(done));
}

PeerFacts Commands::facts(model::PeerIndex peer) {
  auto report = subjects_.netd.report(netd::Interface::kSide, peer);
  return gather_facts(*subjects_.directory.get(peer), report ? std::move(*report) : std::nullopt,
                      subjects_.gatekeeper.view(peer, base::BootClock::now()));
}

}  // namespace anubis::daemon

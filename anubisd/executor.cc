#include "anubisd/executor.h"

#include <functional>
#include <string_view>
#include <utility>
#include <variant>

#include "lib/base/log.h"
#include "lib/base/steps.h"

namespace anubis::daemon {

using base::BootClock;

namespace {

// What must be remembered before its effects begin.
const gate::RememberSession* facts_of(const gate::Action& action) {
  const auto* session = std::get_if<gate::RememberSession>(&action);
  return session != nullptr && session->facts ? session : nullptr;
}

}  // namespace

Executor::Executor(Loop& loop, gate::Gatekeeper& gatekeeper, const model::PeerDirectory& directory, netd::Netd& netd,
                   Endpoints& endpoints, const PeerPorts& ports, Listener& listener)
    : gatekeeper_(gatekeeper),
      directory_(directory),
      netd_(netd),
      endpoints_(endpoints),
      ports_(ports),
      listener_(listener),
      handshakes_(loop, netd, [this](model::PeerIndex peer, gate::Ticket ticket) { handshake_seen(peer, ticket); }),
      timer_(loop) {}

void Executor::receive(std::span<const SideService::Received> batch) {
  const base::Time now = BootClock::now();
  for (const SideService::Received& datagram : batch) {
    if (halted_) return;
    base::step("datagram.received");
    listener_.heard(datagram.source.address);
    gatekeeper_.receive(datagram.bytes, datagram.source.address, datagram.source.port, now);
    carry_out_all();  // one by one: what an answer took of memory serves the next one
    base::step("datagram.handled");
  }
  settle();
}

std::optional<wire::Datagram> Executor::ask(std::span<const std::uint8_t> message, const model::IpAddress& source) {
  if (halted_) return std::nullopt;
  answer_.reset();
  gatekeeper_.receive_from_companion(message, source, BootClock::now());
  settle();
  return std::exchange(answer_, std::nullopt);
}

void Executor::settle() {
  if (settling_ || halted_) return;
  carry_out_all();
  flush();
  arm_timer();
}

void Executor::carry_out_all() {
  if (std::exchange(settling_, true)) return;
  for (auto actions = gatekeeper_.take_actions(); !actions.empty(); actions = gatekeeper_.take_actions()) {
    for (const gate::Action& action : actions) {
      const auto* facts = facts_of(action);
      if (facts != nullptr && !halted_) listener_.remember(*facts);
    }
    for (const gate::Action& action : actions) {
      if (halted_) return;
      if (facts_of(action) == nullptr) std::visit([this](const auto& each) { carry_out(each); }, action);
    }
  }
  settling_ = false;
}

void Executor::carry_out(const gate::SendDatagram& action) {
  const model::Peer* peer = directory_.get(action.peer);
  if (side_service_ == nullptr || peer == nullptr) return;
  count_repetitions(action);
  side_service_->send({.address = peer->side_address, .port = action.port}, action.bytes);
}

void Executor::carry_out(const gate::AnswerCompanion& action) { answer_ = action.bytes; }

void Executor::count_repetitions(const gate::SendDatagram& action) {
  constexpr unsigned kTooOften = 3;
  const std::string_view bytes(reinterpret_cast<const char*>(action.bytes.data()), action.bytes.size());
  const std::size_t hash = std::hash<std::string_view>()(bytes);
  Sent& last = last_sent_[action.peer];
  if (std::exchange(last.hash, hash) != hash) last.times = 0;
  if (++last.times >= kTooOften) listener_.unheard(action.peer, last.times);
}

void Executor::carry_out(const gate::ResolveEndpoint& action) {
  endpoints_.find(action.peer,
                  [this, peer = action.peer, ticket = action.ticket](base::Result<model::Endpoint> endpoint) {
                    base::step("endpoint.found");
                    gatekeeper_.resolved(peer, ticket, std::move(endpoint), BootClock::now());
                    settle();
                  });
}

void Executor::carry_out(const gate::InstallPeer& action) {
  flush();  // the request travels while we are busy here
  base::step("install.begun");
  auto result = install(action);
  base::step("install.done");
  gatekeeper_.installed(action.peer, action.ticket, std::move(result), BootClock::now());
}

base::Result<gate::Installed> Executor::install(const gate::InstallPeer& action) {
  if (directory_.get(action.peer) == nullptr) {
    return base::fail(base::ErrorCode::kNotFound, "it is no longer authorised");
  }
  const bool recreate = action.installation == gate::Installation::kRecreate;
  if (recreate) handshakes_.stop(action.peer);
  auto endpoint = action.endpoint ? action.endpoint : endpoints_.known(action.peer, action.told_port);
  if (endpoint) endpoint = ports_.over_port_in_use(action.peer, *endpoint);
  auto presence = netd_.install({
      .peer = action.peer,
      .recreate = recreate,
      .endpoint = endpoint,
      .initiate_handshake = action.initiate_handshake,
      .with_routes = action.with_routes,
      .take_over = action.take_over,
      .preshared_key = action.preshared_key,
  });
  if (!presence) {
    const std::string& name = directory_.get(action.peer)->name;
    base::log::error({"session.install-failed", name}, "{}: {}", name, presence.error().message);
    return base::fail(presence.error());
  }
  switch (*presence) {
    case netd::Presence::kCreated:
      return gate::Installed{wire::PeerPresence::kCreated};
    case netd::Presence::kFound:
      break;
  }
  return gate::Installed{wire::PeerPresence::kFound};
}

void Executor::carry_out(const gate::RemovePeer& action) {
  flush();
  base::step("remove.begun");
  handshakes_.stop(action.peer);
  base::Status status;
  // A peer that a reload removed has left the interface with it.
  if (const model::Peer* peer = directory_.get(action.peer)) {
    status = netd_.remove(action.peer);
    if (!status) base::log::error({"session.remove-failed", peer->name}, "{}: {}", peer->name, status.error().message);
  }
  base::step("remove.done");
  gatekeeper_.removed(action.peer, action.ticket, std::move(status), BootClock::now());
}

void Executor::carry_out(const gate::WatchHandshake& action) { handshakes_.start(action.peer, action.ticket); }
void Executor::carry_out(const gate::FinishCommand& action) { listener_.command_finished(action); }
void Executor::carry_out(const gate::SessionChanged& action) {
  base::step("session.changed");
  listener_.session_changed(action);
}

void Executor::carry_out(const gate::CarryClient& action) {
  const model::Peer* const client = directory_.get(action.client);
  if (client == nullptr) return;
  if (auto status = netd_.carry(action.client, action.server); !status)
    base::log::error({"session.carry-failed", client->name}, "{}: {}", client->name, status.error().message);
  listener_.client_moved(action);
}

void Executor::carry_out(const gate::EnrolPeer& action) {
  if (directory_.get(action.peer) == nullptr) return;
  gatekeeper_.enrolled(action.peer, action.ticket, listener_.enrol(action), BootClock::now());
}

void Executor::carry_out(const gate::RememberSession& action) {
  listener_.remember(action);
  base::step("session.remembered");
}

void Executor::handshake_seen(model::PeerIndex peer, gate::Ticket ticket) {
  base::step("handshake.seen");
  gatekeeper_.handshake_seen(peer, ticket, BootClock::now());
  settle();
  // After the answer: nobody waits for this.
  const model::Peer* const found = directory_.get(peer);
  if (found == nullptr) return;
  if (const auto status = netd_.handshake_done(peer); !status) {
    base::log::warning({"session.handshake-keepalive", found->name}, "{}: {}", found->name, status.error().message);
  }
}

void Executor::flush() {
  if (side_service_ != nullptr) side_service_->flush();
}

void Executor::arm_timer() {
  const auto next = gatekeeper_.next_timer();
  // A timer that comes too early does no harm, and setting it costs a system call.
  if (!next || (timer_.due() && *timer_.due() <= *next)) return;
  timer_.at(*next, [this] {
    gatekeeper_.advance(BootClock::now());
    settle();
  });
}

}  // namespace anubis::daemon

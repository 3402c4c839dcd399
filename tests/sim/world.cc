#include "tests/sim/world.h"

#include <algorithm>
#include <variant>

#include <gtest/gtest.h>

#include "lib/crypto/same_key.h"
#include "lib/crypto/side_address.h"

namespace anubis::sim {
namespace {

using namespace std::chrono_literals;

// WireGuard repeats an initiation that was not answered after 5 s (REKEY_TIMEOUT).
constexpr Duration kRekeyTimeout = 5s;

base::Secret<crypto::kKeySize> seeded_secret(std::uint64_t seed) {
  base::Secret<crypto::kKeySize> secret;
  SeededRandom(seed).fill(secret.writable());
  return secret;
}

}  // namespace

// --- Host ------------------------------------------------------------------------------------------------------------

Host::Host(World& its_world, std::string its_name, std::uint64_t key_seed)
    : world(its_world), name(std::move(its_name)), key(seeded_secret(key_seed)), keys(key, directory) {
  const crypto::SidePrivateKey side_key(seeded_secret(key_seed + 1'000'000));
  identity.name = name;
  identity.public_key = key.public_key();
  identity.side_public_key = side_key.public_key();
  identity.side_address = model::IpAddress::v6(crypto::derive_side_address(identity.side_public_key));
  identity.endpoint = model::HostPort{"192.0.2." + std::to_string(key_seed % 250 + 1), 4296};
  restart();
}

void Host::authorise(const Host& other, bool with_endpoint) {
  model::Peer peer = other.identity;
  if (!with_endpoint) peer.endpoint.reset();
  authorised.push_back(peer);
  directory.replace(authorised);
}

void Host::restart() {
  gatekeeper = std::make_unique<gate::Gatekeeper>(settings, directory, keys, identity.public_key, world.random);
  watches_.clear();
  armed_.reset();
  std::set<PeerIndex> known;
  for (const auto& [peer, facts] : remembered) known.insert(peer);
  for (auto& [peer, installed] : interface) {
    installed.routes = true;  // netd puts back what is missing of a peer that stands there
    known.insert(peer);
  }
  for (const PeerIndex peer : known) {
    const auto found = remembered.find(peer);
    const auto facts = found == remembered.end() ? std::nullopt : std::optional(found->second);
    const bool is_installed = interface.contains(peer);
    run([&](gate::Gatekeeper& gate) { gate.resume(peer, facts, is_installed, world.now); });
  }
  run([&](gate::Gatekeeper& gate) {
    for (const auto& [client, server] : carried) gate.resume_with(client, server);
    gate.find_fellows(world.now);
  });
}

gate::CommandId Host::up(const Host& peer, std::optional<std::chrono::seconds> lease, Duration timeout) {
  return up(peer, gate::UpRequest{.lease = lease, .timeout = timeout});
}

gate::CommandId Host::up(const Host& peer, const gate::UpRequest& request) {
  const gate::CommandId command{++last_command_};
  run([&](gate::Gatekeeper& gate) { gate.up(command, index_of(peer), request, world.now); });
  return command;
}

gate::CommandId Host::bye(const Host& peer, const gate::Farewell& farewell, Duration timeout) {
  const gate::CommandId command{++last_command_};
  run([&](gate::Gatekeeper& gate) { gate.bye(command, index_of(peer), farewell, timeout, world.now); });
  return command;
}

gate::CommandId Host::down(const Host& peer, Duration timeout) {
  const gate::CommandId command{++last_command_};
  run([&](gate::Gatekeeper& gate) { gate.down(command, index_of(peer), timeout, world.now); });
  return command;
}

std::optional<gate::Outcome> Host::outcome(gate::CommandId command) const {
  const auto found = outcomes.find(command);
  if (found == outcomes.end()) return std::nullopt;
  return found->second;
}

gate::SessionView Host::view(const Host& peer) const { return gatekeeper->view(index_of(peer), world.now); }

bool Host::has(const Host& peer) const {
  const auto found = interface.find(index_of(peer));
  return found != interface.end() && found->second.routes;
}

bool Host::shares_key_with(const Host& peer) const {
  const auto ours = interface.find(index_of(peer));
  const auto theirs = peer.interface.find(peer.index_of(*this));
  return ours != interface.end() && theirs != peer.interface.end() &&
         crypto::same_key(ours->second.preshared_key, theirs->second.preshared_key);
}

PeerIndex Host::index_of(const Host& peer) const { return directory.find(peer.identity.public_key).value(); }

void Host::run(const std::function<void(gate::Gatekeeper&)>& input) {
  input(*gatekeeper);
  execute();
}

void Host::execute() {
  for (auto actions = gatekeeper->take_actions(); !actions.empty(); actions = gatekeeper->take_actions()) {
    // As the daemon does: facts first.
    for (const auto& action : actions) {
      const auto* session = std::get_if<gate::RememberSession>(&action);
      if (session != nullptr && session->facts) carry_out(*session);
    }
    for (const auto& action : actions) {
      const auto* session = std::get_if<gate::RememberSession>(&action);
      if (session != nullptr && session->facts) continue;
      std::visit([this](const auto& one) { carry_out(one); }, action);
    }
  }
  const auto next = gatekeeper->next_timer();
  if (!next || (armed_ && *armed_ <= *next)) return;
  armed_ = next;
  world.at(std::max(*next - world.now, Duration{0}), [this, time = *next] {
    if (armed_ != time) return;  // of a daemon that was since restarted, or armed anew for an earlier time
    armed_.reset();
    run([this](gate::Gatekeeper& gate) { gate.advance(world.now); });
  });
}

void Host::carry_out(const gate::SendDatagram& action) {
  Host* to = world.owner(directory.get(action.peer)->side_address);
  if (to != nullptr) world.send(*this, *to, action.bytes);
}

void Host::carry_out(const gate::ResolveEndpoint& action) {
  const auto& endpoint = directory.get(action.peer)->endpoint;
  base::Result<model::Endpoint> resolved = base::fail(base::ErrorCode::kNotFound, "it was never heard of");
  if (endpoint) resolved = model::Endpoint{*endpoint->literal(), *endpoint->port};
  if (!endpoint && roamers_heard_at) resolved = model::Endpoint{*roamers_heard_at, 0};
  gatekeeper->resolved(action.peer, action.ticket, resolved, world.now);
}

void Host::carry_out(const gate::InstallPeer& action) {
  watches_.erase(action.peer);
  if (install_error) {
    gatekeeper->installed(action.peer, action.ticket, base::fail(*install_error), world.now);
    return;
  }
  const bool found = interface.contains(action.peer);
  InstalledPeer& installed = interface[action.peer];
  if (!found || action.installation == gate::Installation::kRecreate) {
    ++installs;
    installed.incarnation = ++world.last_incarnation;
    if (action.initiate_handshake) initiate_handshake(action.peer, installed.incarnation);
  }
  // As netd::Shares has it: what others have is left to them without routes, and refused without the right to it.
  if (action.with_routes && (installed.taken_over == 0 || action.take_over)) {
    const auto& group = directory.get(action.peer)->group;
    for (const auto& [other, theirs] : interface) {
      const bool contests = other != action.peer && !group.empty() && !directory.get(other)->allowed_ips.empty() &&
                            directory.get(other)->group == group && group != settings.group && theirs.taken_over != 0;
      EXPECT_TRUE(!contests || action.take_over) << name << " gives two of a group the same";
    }
    installed.taken_over = ++world.last_take_over;
  }
  if (action.with_routes) carried.erase(action.peer);
  installed.routes |= action.with_routes;
  if (action.preshared_key) {
    const bool off = std::ranges::all_of(action.preshared_key->view(), [](std::uint8_t byte) { return byte == 0; });
    installed.preshared_key = off ? nullptr : action.preshared_key;
  }
  gatekeeper->installed(action.peer, action.ticket,
                        gate::Installed{found ? wire::PeerPresence::kFound : wire::PeerPresence::kCreated}, world.now);
}

void Host::carry_out(const gate::RemovePeer& action) {
  watches_.erase(action.peer);
  removals += interface.erase(action.peer);
  gatekeeper->removed(action.peer, action.ticket, {}, world.now);
}

void Host::carry_out(const gate::WatchHandshake& action) {
  const auto installed = interface.find(action.peer);
  if (installed == interface.end()) return;
  watches_[action.peer] = action.ticket;
  if (shaken_.contains(installed->second.incarnation)) {
    watches_.erase(action.peer);
    gatekeeper->handshake_seen(action.peer, action.ticket, world.now);
  }
}

void Host::carry_out(const gate::FinishCommand& action) {
  EXPECT_TRUE(outcomes.emplace(action.command, action.outcome).second) << "a command was answered twice";
  if (world.on_finish) world.on_finish(*this, action);
}

void Host::carry_out(const gate::SessionChanged& action) { changes.push_back(action); }

void Host::carry_out(const gate::RememberSession& action) {
  if (action.facts) {
    remembered.insert_or_assign(action.peer, *action.facts);
  } else {
    remembered.erase(action.peer);
  }
}

void Host::carry_out(const gate::CarryClient& action) {
  if (action.server) {
    carried[action.client] = *action.server;
  } else {
    carried.erase(action.client);
  }
}

void Host::carry_out(const gate::EnrolPeer& action) { gatekeeper->enrolled(action.peer, action.ticket, {}, world.now); }

const Host* Host::way_to(const Host& peer) const {
  const auto server = carried.find(index_of(peer));
  if (server != carried.end() && interface.contains(server->second))
    return world.owner(directory.get(server->second)->side_address);
  return has(peer) ? &peer : nullptr;
}

const Host* Host::server_in_use() const {
  const Host* in_use = nullptr;
  std::uint64_t greatest = 0;
  for (const auto& [peer, installed] : interface) {
    if (directory.get(peer)->group.empty() || installed.taken_over <= greatest) continue;
    greatest = installed.taken_over;
    in_use = world.owner(directory.get(peer)->side_address);
  }
  return in_use;
}

InstalledPeer* Host::standing(PeerIndex peer, std::uint64_t incarnation) {
  const auto found = interface.find(peer);
  return found != interface.end() && found->second.incarnation == incarnation ? &found->second : nullptr;
}

// Initiation, response, keepalive. An initiation is lost on a host that does not have the peer. One that is answered
// makes the host forget its own: where two cross, both responses are dropped (kernel: wg_noise_handshake_consume_*).
void Host::initiate_handshake(PeerIndex peer, std::uint64_t incarnation) {
  const std::uint64_t initiation = ++world.last_initiation;
  interface.at(peer).initiation = initiation;
  interface.at(peer).has_initiated = true;
  world.at(world.production_delay, [this, peer, incarnation, initiation] {
    Host* other = world.owner(directory.get(peer)->side_address);
    const PeerIndex we = other->index_of(*this);
    const auto entry = other->interface.find(we);
    if (!standing(peer, incarnation) || entry == other->interface.end()) return;
    if (world.is_cut && world.is_cut(*this, *other)) return;
    if (other->behind_nat && !entry->second.has_initiated) return;
    entry->second.initiation = 0;
    world.at(world.production_delay, [this, peer, incarnation, initiation, other, we,
                                      theirs = entry->second.incarnation, response = entry->second] {
      InstalledPeer* ours = standing(peer, incarnation);
      // The response is sealed with the preshared key as it was over there.
      if (ours == nullptr || ours->initiation != initiation ||
          !crypto::same_key(ours->preshared_key, response.preshared_key))
        return;
      complete_handshake(peer, incarnation);
      world.at(world.production_delay, [other, we, theirs] { other->complete_handshake(we, theirs); });
    });
  });
  world.at(kRekeyTimeout, [this, peer, incarnation] {
    if (standing(peer, incarnation) && !shaken_.contains(incarnation)) initiate_handshake(peer, incarnation);
  });
}

void Host::complete_handshake(PeerIndex peer, std::uint64_t incarnation) {
  if (!standing(peer, incarnation)) return;
  shaken_.insert(incarnation);
  const auto watch = watches_.find(peer);
  if (watch == watches_.end()) return;
  const gate::Ticket ticket = watch->second;
  watches_.erase(watch);
  run([&](gate::Gatekeeper& gate) { gate.handshake_seen(peer, ticket, world.now); });
}

// --- World -----------------------------------------------------------------------------------------------------------

World::World(std::uint64_t seed) : random(seed) { crypto::initialise(); }

Host& World::add_host(const std::string& name) {
  hosts.push_back(std::make_unique<Host>(*this, name, hosts.size() + 1));
  return *hosts.back();
}

void World::introduce_all() {
  for (auto& host : hosts) {
    for (auto& other : hosts) {
      if (host != other) host->authorise(*other);
    }
  }
}

void World::at(Duration delay, std::function<void()> what) {
  events_.push({now + delay, ++last_order_, std::move(what)});
}

bool World::step(Time until) {
  if (events_.empty() || events_.top().time > until) return false;
  const Event event = events_.top();
  events_.pop();
  now = event.time;
  event.what();
  return true;
}

void World::run_for(Duration duration) {
  const Time until = now + duration;
  while (step(until)) {
  }
  now = until;
}

gate::Outcome World::finish(Host& host, gate::CommandId command) {
  const Time until = now + 10min;
  while (!host.outcome(command) && step(until)) {
  }
  const auto outcome = host.outcome(command);
  if (!outcome) throw std::runtime_error("a command was never answered");
  return *outcome;
}

void World::send(Host& from, Host& to, const wire::Datagram& bytes) {
  sent.push_back({&from, &to, bytes});
  if (on_send) on_send(sent.back());
  if (is_cut && is_cut(from, to)) return;
  do {
    if (random.fraction() < noise.loss) continue;
    wire::Datagram copy = bytes;
    if (random.fraction() < noise.corrupt) {
      const auto bit = random.below(copy.size() * 8);
      copy[bit / 8] = static_cast<std::uint8_t>(copy[bit / 8] ^ (1u << (bit % 8)));
    }
    const auto spread = (noise.most_delay - noise.least_delay).count();
    const Duration delay =
        noise.least_delay + Duration(static_cast<std::int64_t>(random.fraction() * static_cast<double>(spread)));
    at(delay, [this, &from, &to, copy = std::move(copy)] { inject(from, to, copy); });
  } while (random.fraction() < noise.duplicate);
}

void World::inject(const Host& from, Host& to, const wire::Datagram& bytes) {
  if (!to.has_aes && suite_of(bytes) == kAes256Gcm) return;
  const auto accepted = to.gatekeeper->counters().requests_accepted;
  to.run([&](gate::Gatekeeper& gate) { gate.receive(bytes, from.identity.side_address, 4298, now); });
  if (to.gatekeeper->counters().requests_accepted == accepted) return;
  EXPECT_TRUE(accepted_.insert(bytes).second) << "a request had its effect twice";
  if (on_accept) on_accept({&from, &to, bytes});
}

Host* World::owner(const model::IpAddress& side_address) {
  for (auto& host : hosts) {
    if (host->identity.side_address == side_address) return host.get();
  }
  return nullptr;
}

}  // namespace anubis::sim

// Three hosts with real gatekeepers, of which one may be hostile; the input is the schedule: what happens on the wire,
// to the hosts and to the clock. What must hold:
//
//  - A request has its effect once at most, whatever is replayed, and whoever was started anew (World::inject).
//  - A request that is accepted was made after the last change of that session by the responder itself.
//  - What was changed on the way, sent back, or sent by somebody else has no effect.
//  - A reply is never longer than its request.
//  - Every command is answered, once. An OK to somebody who was alone with his wish never lies.
//  - Once the wire is calm again, both ends agree, and the next up and down succeed.
#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "tests/fuzz/fuzz.h"
#include "tests/sim/world.h"

namespace anubis::fuzz {
namespace {

using namespace std::chrono_literals;
using gate::SessionState;
using gate::Verdict;
using sim::Host;
using sim::Sent;

constexpr std::size_t kMaxSteps = 200;

// What happens, a line each, for whoever has to understand a find: ANUBIS_FUZZ_TRACE=1 build/fuzz/bin/fuzz_gatekeepers
// INPUT
template <class... Args>
void trace(fmt::format_string<Args...> format, Args&&... args) {
  static const bool wanted = std::getenv("ANUBIS_FUZZ_TRACE") != nullptr;
  if (wanted) std::fputs((fmt::format(format, std::forward<Args>(args)...) + "\n").c_str(), stderr);
}

class Play {
 public:
  explicit Play(Bytes schedule) : schedule_(schedule) {
    for (const char* name : {"xena", "jacinth", "surya"}) world_.add_host(name);
    world_.introduce_all();
    world_.noise.loss = 1;  // what arrives, and when, is the schedule's
    world_.on_send = [this](const Sent& sent) { note(sent); };
    world_.on_accept = [this](const Sent& request) { check_accepted(request); };
    world_.on_finish = [this](Host& host, const gate::FinishCommand& finished) { check_outcome(host, finished); };
  }

  void run() {
    for (std::size_t i = 0; i < kMaxSteps && !schedule_.at_end(); ++i) step();
    calm_down();
    check_agreement();
    for (const auto& [id, wish] : wishes_) require(wish.answered, "every command is answered");
    check_that_it_works();
  }

 private:
  // Two hosts, in the order of their numbers.
  using Pair = std::pair<const Host*, const Host*>;

  // A command that waits.
  struct Wish {
    Host* host = nullptr;
    Host* peer = nullptr;
    bool up = false;
    bool alone = false;  // nothing else happened to the pair since it was given
    bool answered = false;
  };

  static Pair pair_of(const Host& a, const Host& b) { return &a < &b ? Pair{&a, &b} : Pair{&b, &a}; }
  Host& host() { return *world_.hosts[schedule_.byte() % world_.hosts.size()]; }
  Host& other_than(const Host& host) {
    for (auto at = schedule_.byte() % world_.hosts.size();; at = (at + 1) % world_.hosts.size()) {
      if (world_.hosts[at].get() != &host) return *world_.hosts[at];
    }
  }

  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(world_.now.time_since_epoch()).count(); }

  void step() {
    switch (schedule_.byte() % 16) {
      case 0:
      case 1:
        return deliver_next();
      case 2:
        if (!waiting_.empty()) waiting_.pop_front();
        return;
      case 3:
        return with_recorded([this](const Sent& sent) { world_.inject(*sent.from, *sent.to, sent.bytes); });
      case 4:
        return with_recorded([this](const Sent& sent) { corrupt(sent); });
      case 5:
        return with_recorded([this](const Sent& sent) { misdirect(sent); });
      case 6:
        return command(true);
      case 7:
        return command(false);
      case 8:
        return restart(host());
      case 9:
        return lose_interface(host());
      case 10:
        return reload(host());
      case 11: {
        Host& troubled = host();
        troubled.install_error.reset();
        if ((schedule_.byte() & 1) != 0) troubled.install_error = base::Error{base::ErrorCode::kConflict, "in the way"};
        disturb_all_of(troubled);
        return;
      }
      case 12:
        return set_noise();
      case 13:
        return world_.run_for(std::chrono::milliseconds(1 + schedule_.byte()));
      case 14:
        return world_.run_for(std::chrono::seconds(1 + schedule_.byte()));
      case 15:
        world_.run_for(50ms);
        return deliver_next();
    }
  }

  // --- the wire ---

  void note(const Sent& sent) {
    born_.try_emplace(sent.bytes, world_.sent.size());
    if (by_hand_) waiting_.push_back(world_.sent.size() - 1);
    trace("{:9.3f} s  datagram {}: {} sends to {}", seconds(), world_.sent.size(), sent.from->name, sent.to->name);
    require(sent.bytes.size() <= wire::kRequestSize, "a reply is no longer than a request of ours");
  }

  void deliver_next() {
    if (waiting_.empty()) return;
    const Sent sent = world_.sent[waiting_.front()];
    trace("{:9.3f} s  datagram {} arrives at {}", seconds(), waiting_.front() + 1, sent.to->name);
    waiting_.pop_front();
    world_.inject(*sent.from, *sent.to, sent.bytes);
  }

  template <class Use>
  void with_recorded(Use use) {
    const std::size_t back = schedule_.number();
    if (world_.sent.empty()) return;
    const std::size_t which = world_.sent.size() - 1 - back % world_.sent.size();
    trace("{:9.3f} s  the attacker takes datagram {}", seconds(), which + 1);
    const Sent sent = world_.sent[which];
    use(sent);
  }

  // Nothing comes of it but a count.
  void inject_in_vain(const Host& from, Host& to, const wire::Datagram& bytes) {
    const auto effects = [&] {
      return std::array{to.installs, to.removals, std::uint64_t{to.changes.size()}, std::uint64_t{world_.sent.size()},
                        to.gatekeeper->counters().requests_accepted};
    };
    const auto before = effects();
    world_.inject(from, to, bytes);
    require(effects() == before, "what was forged has no effect");
  }

  void corrupt(const Sent& sent) {
    wire::Datagram bytes = sent.bytes;
    const std::size_t bit = schedule_.number() % (bytes.size() * 8);
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ 1u << bit % 8);
    inject_in_vain(*sent.from, *sent.to, bytes);
  }

  // From another host, or to another one; to its own sender, too.
  void misdirect(const Sent& sent) {
    const Host& from = host();
    Host& to = other_than(from);
    if (&from == sent.from && &to == sent.to) return world_.inject(from, to, sent.bytes);
    inject_in_vain(from, to, sent.bytes);
  }

  void set_noise() {
    const std::uint8_t how = schedule_.byte();
    by_hand_ = (how & 1) == 0;
    world_.noise = {};
    if (by_hand_) {
      world_.noise.loss = 1;
      return;
    }
    world_.noise.loss = 0.1 * (how >> 1 & 3);
    world_.noise.duplicate = 0.2 * (how >> 3 & 3);
    world_.noise.corrupt = 0.1 * (how >> 5 & 1);
    world_.noise.most_delay = (how >> 6 & 1) != 0 ? sim::Duration(5s) : world_.noise.least_delay;
  }

  // --- the hosts ---

  void command(bool up) {
    Host& from = host();
    Host& to = other_than(from);
    const auto timeout = std::chrono::milliseconds(100) * (1 + schedule_.byte());
    const Pair pair = pair_of(from, to);
    bool alone = true;
    for (auto& [id, wish] : wishes_) {
      if (wish.answered || pair_of(*wish.host, *wish.peer) != pair) continue;
      wish.alone = false;
      alone = false;
    }
    trace("{:9.3f} s  {} {} {}, timeout {} ms", seconds(), from.name, up ? "up" : "down", to.name, timeout.count());
    // It may be answered before it has its number.
    asking_ = Wish{.host = &from, .peer = &to, .up = up, .alone = alone && !from.install_error && !to.install_error};
    asking_changed_ = from.view(to).state != SessionState::kGoingDown;  // else it joins the one before
    const auto id = up ? from.up(to, std::nullopt, timeout) : from.down(to, timeout);
    if (asking_) wishes_.emplace(std::pair(&from, id), *asking_);
    asking_.reset();
    // Whatever the peer asked for before must have no effect any more.
    if (!up && asking_changed_) changed_[{&from, &to}] = world_.sent.size();
  }

  void disturb_all_of(const Host& host) {
    for (auto& [id, wish] : wishes_) {
      if (wish.host == &host || wish.peer == &host) wish.alone = false;
    }
  }

  void restart(Host& host) {
    trace("{:9.3f} s  {} is started anew", seconds(), host.name);
    disturb_all_of(host);
    for (auto& [id, wish] : wishes_) wish.answered |= wish.host == &host;  // with the process that would have answered
    for (const auto& other : world_.hosts) {
      if (other.get() == &host) continue;
      changed_[{&host, other.get()}] = world_.sent.size();
      // What was under way has been forgotten, perhaps in the middle.
      if (host.view(*other).state != settled(host, *other) || other->view(host).state != settled(*other, host) ||
          host.has(*other) != other->has(host) || !waiting_.empty() || !by_hand_) {
        uncertain_.insert(pair_of(host, *other));
      }
    }
    host.restart();
  }

  // The state that what stands on the interface stands for.
  static SessionState settled(const Host& host, const Host& peer) {
    if (host.interface.contains(host.index_of(peer))) return SessionState::kUp;
    const SessionState state = host.view(peer).state;
    return state == SessionState::kFailed ? state : SessionState::kDown;
  }

  void lose_interface(Host& host) {
    trace("{:9.3f} s  {} loses its interface", seconds(), host.name);
    disturb_all_of(host);
    host.interface.clear();
    host.run([this](gate::Gatekeeper& gate) { gate.reinstall_all(world_.now); });
  }

  void reload(Host& host) {
    disturb_all_of(host);
    const Host& peer = other_than(host);
    host.run([&](gate::Gatekeeper& gate) { gate.peer_changed(host.index_of(peer), world_.now); });
  }

  // --- what must hold ---

  void check_accepted(const Sent& request) {
    trace("{:9.3f} s  {} accepts a request of {}", seconds(), request.to->name, request.from->name);
    const auto born = born_.find(request.bytes);
    require(born != born_.end(), "an accepted request is one that was sent");
    const auto changed = changed_.find({request.to, request.from});
    require(changed == changed_.end() || born->second > changed->second,
            "an accepted request was made after the last change at the responder");
  }

  void check_outcome(Host& host, const gate::FinishCommand& finished) {
    trace("{:9.3f} s  {} answers its user: verdict {} {}", seconds(), host.name,
          static_cast<int>(finished.outcome.verdict), finished.outcome.text);
    Wish wish;
    if (const auto found = wishes_.find({&host, finished.command}); found != wishes_.end()) {
      found->second.answered = true;
      wish = found->second;
    } else if (asking_) {
      wish = *asking_;
      wish.answered = true;
      asking_changed_ &= !finished.outcome.was_so_already;
      asking_.reset();
    } else {
      return;
    }
    if (finished.outcome.verdict != Verdict::kDone) return;
    const Pair pair = pair_of(*wish.host, *wish.peer);
    if (!wish.alone) return;  // nor does it say anything of what was killed since the command was given
    if (!finished.outcome.was_so_already) uncertain_.erase(pair);
    if (uncertain_.contains(pair)) return;
    require(wish.host->has(*wish.peer) == wish.up, "an OK says what is so here");
    require(wish.peer->has(*wish.host) == wish.up, "an OK says what is so there");
  }

  void calm_down() {
    by_hand_ = false;
    waiting_.clear();
    world_.noise = {};
    for (auto& host : world_.hosts) {
      host->install_error.reset();
      // As every minute, and on every event of the kernel's.
      host->run([this](gate::Gatekeeper& gate) { gate.reinstall_all(world_.now); });
    }
    world_.run_for(10min);
  }

  void check_agreement() {
    for (auto& host : world_.hosts) {
      for (auto& peer : world_.hosts) {
        if (host == peer) continue;
        const SessionState state = host->view(*peer).state;
        const bool up = state == SessionState::kUp;
        require(up || state == SessionState::kDown || state == SessionState::kFailed, "a session comes to rest");
        require(host->interface.contains(host->index_of(*peer)) == up, "no peer stands there that is not up");
        require(host->has(*peer) == up, "a session that is up has its routes");
        if (uncertain_.contains(pair_of(*host, *peer))) continue;
        require(host->has(*peer) == peer->has(*host), "both ends agree");
      }
    }
  }

  void check_that_it_works() {
    world_.on_finish = nullptr;
    Host& xena = *world_.hosts[0];
    Host& jacinth = *world_.hosts[1];
    require(world_.finish(xena, xena.up(jacinth)).verdict == Verdict::kDone, "the next up succeeds");
    require(xena.has(jacinth) && jacinth.has(xena), "both ends are up");
    require(world_.finish(jacinth, jacinth.down(xena)).verdict == Verdict::kDone, "the next down succeeds");
    require(!xena.has(jacinth) && !jacinth.has(xena), "both ends are down");
  }

  Reader schedule_;
  sim::World world_{1};
  bool by_hand_ = true;
  std::deque<std::size_t> waiting_;             // of world_.sent, what the schedule has not decided on
  std::map<wire::Datagram, std::size_t> born_;  // how many had been sent when it was first
  // How many had been sent when this host last changed its session with that one by itself.
  std::map<std::pair<const Host*, const Host*>, std::size_t> changed_;
  std::map<std::pair<const Host*, gate::CommandId>, Wish> wishes_;
  std::optional<Wish> asking_;  // a command that has no number yet
  bool asking_changed_ = false;
  // Pairs of which one host was killed in the middle of something: it took what stood on its interface for the truth.
  std::set<Pair> uncertain_;
};

}  // namespace

void gatekeepers(Bytes input) { Play(input).run(); }

}  // namespace anubis::fuzz

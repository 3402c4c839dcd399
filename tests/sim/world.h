// Hosts with real gatekeepers and real cryptography in virtual time, on a side wire that loses, doubles, delays,
// reorders and corrupts, and with a production WireGuard reduced to what the gatekeeper can notice of it. Everything
// follows from the seed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "lib/base/random.h"
#include "lib/gate/gatekeeper.h"
#include "lib/model/directory.h"

namespace anubis::sim {

using base::Duration;
using base::Time;
using model::PeerIndex;

class SeededRandom final : public base::Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(engine_());
  }
  [[nodiscard]] double fraction() { return std::uniform_real_distribution<>(0, 1)(engine_); }

 private:
  std::mt19937_64 engine_;
};

// What the side wire does to a datagram, each on its own.
struct Noise {
  double loss = 0;       // probability
  double duplicate = 0;  // probability of one more copy, which may be doubled again
  double corrupt = 0;    // probability of one flipped bit
  Duration least_delay = std::chrono::milliseconds(10);
  Duration most_delay = std::chrono::milliseconds(10);  // uniform in between: reorders
};

class World;

// A peer on a production interface.
struct InstalledPeer {
  std::uint64_t incarnation = 0;  // new whenever it is created
  // Our initiation whose response would still be taken; 0: none. One that arrives from the other end voids it.
  std::uint64_t initiation = 0;
  bool has_initiated = false;
  bool routes = false;
  std::uint64_t taken_over = 0;  // of peers that may have the same, the greatest has it
  std::shared_ptr<const crypto::WireGuardPresharedKey> preshared_key;  // null: none
};

class Host {
 public:
  Host(World& world, std::string name, std::uint64_t key_seed);

  // The daemon starts again: the gatekeeper forgets all but what stands on the interface.
  void restart();
  void authorise(const Host& other, bool with_endpoint = true);

  gate::CommandId up(const Host& peer, std::optional<std::chrono::seconds> lease = std::nullopt,
                     Duration timeout = std::chrono::seconds(10));
  gate::CommandId up(const Host& peer, const gate::UpRequest& request);
  gate::CommandId bye(const Host& peer, const gate::Farewell& farewell = {},
                      Duration timeout = std::chrono::seconds(2));
  gate::CommandId down(const Host& peer, Duration timeout = std::chrono::seconds(10));

  [[nodiscard]] std::optional<gate::Outcome> outcome(gate::CommandId command) const;
  [[nodiscard]] gate::SessionView view(const Host& peer) const;
  [[nodiscard]] bool has(const Host& peer) const;  // on its production interface, with routes
  // Whether both have the other on their interface with the same preshared key.
  [[nodiscard]] bool shares_key_with(const Host& peer) const;
  [[nodiscard]] PeerIndex index_of(const Host& peer) const;
  // Where what is for that host goes to: to itself, to the server that it is with, or nowhere.
  [[nodiscard]] const Host* way_to(const Host& peer) const;
  // Of its group, the one that has what all of them may have; null: none.
  [[nodiscard]] const Host* server_in_use() const;

  // Hands the gatekeeper something and carries out what comes of it.
  void run(const std::function<void(gate::Gatekeeper&)>& input);

  World& world;
  std::string name;
  crypto::ProductionPrivateKey key;
  model::Peer identity;  // as others authorise it
  model::InMemoryDirectory directory;
  std::vector<model::Peer> authorised;
  gate::LocalKeyAgreement keys;
  gate::Settings settings;  // of the next start
  bool has_aes = true;      // its hardware; else its wire::decode_header would drop all of that suite
  std::unique_ptr<gate::Gatekeeper> gatekeeper;

  std::map<PeerIndex, InstalledPeer> interface;
  std::uint64_t installs = 0;  // effects on the interface, for tests that none happened
  std::uint64_t removals = 0;
  bool behind_nat = false;                           // initiations reach it only where it has sent one itself
  std::optional<model::IpAddress> roamers_heard_at;  // the side tunnels of peers without endpoint; none: never
  std::optional<base::Error> install_error;          // what the next installations fail with
  std::map<gate::CommandId, gate::Outcome> outcomes;
  std::map<PeerIndex, gate::Remembered> remembered;  // what a restart finds of it
  std::vector<gate::SessionChanged> changes;
  std::map<PeerIndex, PeerIndex> carried;  // clients that are with another server

 private:
  void execute();
  void carry_out(const gate::SendDatagram& action);
  void carry_out(const gate::AnswerCompanion&) {}  // nobody here has one
  void carry_out(const gate::ResolveEndpoint& action);
  void carry_out(const gate::InstallPeer& action);
  void carry_out(const gate::RemovePeer& action);
  void carry_out(const gate::WatchHandshake& action);
  void carry_out(const gate::FinishCommand& action);
  void carry_out(const gate::SessionChanged& action);
  void carry_out(const gate::RememberSession& action);
  void carry_out(const gate::CarryClient& action);
  void carry_out(const gate::EnrolPeer& action);
  void initiate_handshake(PeerIndex peer, std::uint64_t incarnation);
  void complete_handshake(PeerIndex peer, std::uint64_t incarnation);
  // The peer as it stands on the interface; null when it is gone, or was created anew.
  [[nodiscard]] InstalledPeer* standing(PeerIndex peer, std::uint64_t incarnation);

  std::map<PeerIndex, gate::Ticket> watches_;
  std::set<std::uint64_t> shaken_;  // incarnations whose handshake is complete
  std::uint64_t last_command_ = 0;
  std::optional<Time> armed_;

  friend class World;
};

constexpr crypto::Suite kAes256Gcm{2};

// As its header says.
[[nodiscard]] inline crypto::Suite suite_of(const wire::Datagram& datagram) {
  return static_cast<crypto::Suite>(datagram.at(6));
}

// A datagram as it left a host.
struct Sent {
  const Host* from = nullptr;
  Host* to = nullptr;
  wire::Datagram bytes;
};

class World {
 public:
  explicit World(std::uint64_t seed);

  Host& add_host(const std::string& name);
  void introduce_all();  // everybody authorises everybody

  void at(Duration delay, std::function<void()> what);
  void run_for(Duration duration);
  // Until the command has its outcome; aborts the test when that never comes.
  gate::Outcome finish(Host& host, gate::CommandId command);

  void send(Host& from, Host& to, const wire::Datagram& bytes);
  // Straight to the gatekeeper, as if `from` had sent it now.
  void inject(const Host& from, Host& to, const wire::Datagram& bytes);
  [[nodiscard]] Host* owner(const model::IpAddress& side_address);

  SeededRandom random;
  Noise noise;
  Duration production_delay = std::chrono::milliseconds(10);  // of WireGuard's own packets, one way
  std::vector<std::unique_ptr<Host>> hosts;
  std::vector<Sent> sent;  // all datagrams so far
  std::function<void(const Sent&)> on_send;
  std::function<bool(const Host&, const Host&)> is_cut;  // on the side wire, and WireGuard's; null: nowhere
  std::function<void(const Sent&)> on_accept;            // a request, whenever one has its effect
  std::function<void(Host&, const gate::FinishCommand&)> on_finish;
  Time now{std::chrono::seconds(1000)};
  std::uint64_t last_incarnation = 0;
  std::uint64_t last_initiation = 0;
  std::uint64_t last_take_over = 0;

 private:
  struct Event {
    Time time;
    std::uint64_t order = 0;  // equal times in the order of their making
    std::function<void()> what;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return std::tie(a.time, a.order) > std::tie(b.time, b.order);
    }
  };
  bool step(Time until);

  std::set<wire::Datagram> accepted_;  // requests that had their effect
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  std::uint64_t last_order_ = 0;
};

}  // namespace anubis::sim

// Two whole daemons, jacinth and xena, on one loop. Real: gatekeepers, cryptography, side datagrams (on the loopback
// interface), control sockets and clients. Played: what needs CAP_NET_ADMIN.
#include "anubisd/daemon.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "anubisd/instance_lock.h"
#include "lib/crypto/keys.h"
#include "tests/unit/anubisd/fake_netd.h"
#include "tests/unit/anubisd/folder.h"
#include "tests/unit/anubisd/loop_fixture.h"
#include "tests/unit/anubisd/test_client.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using netd::Interface;
using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const wireguard::HandshakeTime kShaken{std::chrono::sys_days{std::chrono::year{2026} / 5 / 1}};

base::Secret<crypto::kKeySize> secret_of(std::uint8_t fill) {
  base::Secret<crypto::kKeySize> secret;
  std::ranges::fill(secret.writable(), fill);
  return secret;
}

// The service ports must be the same at both ends and free at both addresses: one a process, and none that the system
// gives away by itself.
std::uint16_t service_port() { return static_cast<std::uint16_t>(10'000 + getpid() % 20'000); }

// One host. Its number makes its keys and addresses.
struct Host {
  Host(const Folder& folder, std::string its_name, std::uint8_t number)
      : name(std::move(its_name)), private_key(secret_of(number)) {
    config.name = name;
    config.production.public_key = private_key.public_key();
    config.production.listen_port = 4296;
    config.side.public_key = crypto::SidePrivateKey(secret_of(static_cast<std::uint8_t>(number + 100))).public_key();
    config.side.interface.clear();  // not bound to an interface
    config.side.address = model::IpAddress::v4(std::array<std::uint8_t, 4>{127, 0, 0, number});
    config.side.service_port = service_port();
    places = {folder / (name + ".sock"), folder / (name + ".state")};
  }

  [[nodiscard]] model::Peer as_peer() const {
    model::Peer peer{.name = name};
    peer.public_key = config.production.public_key;
    peer.side_public_key = config.side.public_key;
    peer.side_address = config.side.address;
    peer.endpoint = model::HostPort{"192.0.2.1", 4296};
    peer.side_endpoint = model::HostPort{"192.0.2.1", 4297};
    return peer;
  }
  [[nodiscard]] model::PeerIndex index_of(const Host& other) const {
    return directory.find(other.config.production.public_key).value();
  }
  base::Status start(Loop& loop) {
    daemon.reset();
    auto lock = lock_state_directory(places.state_directory);
    if (!lock) return base::fail(lock.error());
    auto premises = occupy(std::move(*lock), places.state_directory, places.socket, "no-such-group");
    if (!premises) return base::fail(premises.error());
    daemon.emplace(loop, std::move(*premises),
                   Daemon::Surroundings{.config = config,
                                        .directory = directory,
                                        .netd = netd,
                                        .peer_source = peer_source,
                                        .keys = keys,
                                        .random = random});
    return daemon->start();
  }
  void shake_hands_with(const Host& other) {
    netd.reports[{Interface::kProduction, index_of(other)}] = {.peer = index_of(other), .latest_handshake = kShaken};
  }

  struct Places {
    std::filesystem::path socket;
    std::filesystem::path state_directory;
  };

  std::string name;
  crypto::ProductionPrivateKey private_key;
  netd::PublicConfig config;
  Places places;
  model::InMemoryDirectory directory;
  FakeNetd netd;
  FakePeerSource peer_source;
  gate::LocalKeyAgreement keys{private_key, directory};
  base::SystemRandom random;
  std::optional<Daemon> daemon;
};

class DaemonTest : public LoopTest {
 protected:
  void SetUp() override {
    crypto::initialise();
    xena_.emplace(folder_, "xena", 2);
    jacinth_.emplace(folder_, "jacinth", 3);
    xena_->directory.replace({jacinth_->as_peer()});
    jacinth_->directory.replace({xena_->as_peer()});
    xena_->shake_hands_with(*jacinth_);
    jacinth_->shake_hands_with(*xena_);
    for (Host* host : {&*xena_, &*jacinth_}) {
      const auto started = host->start(loop_);
      ASSERT_TRUE(started) << started.error().message;
    }
  }

  // All responses to a command.
  std::vector<control::Response> ask(const Host& host, const control::Command& command) {
    TestClient client(host.places.socket);
    client.send(command);
    EXPECT_TRUE(run_until([&] { return client.closed(); }));
    return client.responses();
  }
  // The `done` among them.
  control::Done done(const Host& host, const control::Command& command) {
    const auto responses = ask(host, command);
    if (responses.empty() || !responses.back().has_done()) {
      ADD_FAILURE() << "the command was not answered";
      return {};
    }
    return responses.back().done();
  }
  control::Done up(const Host& host, const std::string& name, std::chrono::milliseconds timeout = 10s) {
    control::Command command;
    command.mutable_up()->set_name(name);
    command.mutable_up()->set_timeout_ms(static_cast<std::uint32_t>(timeout.count()));
    return done(host, command);
  }
  control::Done down(const Host& host, const std::string& name, std::chrono::milliseconds timeout = 10s) {
    control::Command command;
    command.mutable_down()->set_name(name);
    command.mutable_down()->set_timeout_ms(static_cast<std::uint32_t>(timeout.count()));
    return done(host, command);
  }
  control::Done reload(const Host& host) {
    control::Command command;
    command.mutable_reload();
    return done(host, command);
  }
  std::vector<control::Response> status(const Host& host, const std::string& name = {}) {
    control::Command command;
    command.mutable_status()->set_name(name);
    return ask(host, command);
  }
  control::PeerStatus peer_status(const Host& host) {
    const auto responses = status(host);
    EXPECT_THAT(responses, SizeIs(3));
    return responses.size() == 3 ? responses[1].peer() : control::PeerStatus();
  }

  // Whether its peer does, soon.
  bool comes_to_be(const Host& host, const std::string& state) {
    for (int i = 0; i < 100; ++i) {
      if (peer_status(host).state() == state) return true;
      run_for(50ms);
    }
    return false;
  }

  Folder folder_;
  std::optional<Host> xena_;
  std::optional<Host> jacinth_;
};

TEST_F(DaemonTest, UpInstallsThePeerAtBothEndsAndDownRemovesIt) {
  const auto done = up(*xena_, "jacinth");
  EXPECT_EQ(done.status(), control::DONE) << done.message();
  EXPECT_GT(done.took_us(), 0u);
  EXPECT_FALSE(done.has_lease_seconds_left());
  EXPECT_THAT(xena_->netd.installed, ElementsAre(xena_->index_of(*jacinth_)));
  EXPECT_THAT(jacinth_->netd.installed, ElementsAre(jacinth_->index_of(*xena_)));
  EXPECT_TRUE(xena_->netd.installs.back().with_routes);
  EXPECT_EQ(xena_->netd.installs.back().endpoint->to_string(), "192.0.2.1:4296");
  EXPECT_THAT(xena_->netd.handshakes_done, SizeIs(1));

  EXPECT_EQ(down(*xena_, "jacinth").status(), control::DONE);
  EXPECT_THAT(xena_->netd.installed, IsEmpty());
  EXPECT_THAT(jacinth_->netd.installed, IsEmpty());
  EXPECT_TRUE(down(*xena_, "jacinth").was_so_already());
}

TEST_F(DaemonTest, StatusTellsTheHostAndThePeer) {
  ASSERT_EQ(up(*xena_, "jacinth").status(), control::DONE);
  auto& report = xena_->netd.reports[{Interface::kProduction, xena_->index_of(*jacinth_)}];
  report.rx_bytes = 1234;
  report.endpoint = model::Endpoint{*model::IpAddress::parse("198.51.100.7"), 1234};
  const auto responses = status(*xena_);
  ASSERT_THAT(responses, SizeIs(3));
  EXPECT_EQ(responses[0].host().name(), "xena");
  EXPECT_EQ(responses[0].host().degraded(), "");
  const auto& peer = responses[1].peer();
  EXPECT_EQ(peer.name(), "jacinth");
  EXPECT_EQ(peer.state(), "up");
  EXPECT_TRUE(peer.initiator());
  EXPECT_EQ(peer.rx_bytes(), 1234u);
  EXPECT_EQ(peer.endpoint(), "198.51.100.7:1234");
  EXPECT_EQ(peer.reason(), "");
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  EXPECT_NEAR(static_cast<double>(peer.since()), static_cast<double>(now), 5);
  EXPECT_EQ(responses[2].done().status(), control::DONE);
}

TEST_F(DaemonTest, ANameThatIsUnknownIsNoSuchPeer) {
  const auto done = up(*xena_, "jacynth");
  EXPECT_EQ(done.status(), control::NO_SUCH_PEER);
  EXPECT_THAT(done.message(), HasSubstr("did you mean jacinth?"));
  EXPECT_EQ(down(*xena_, "x").status(), control::NO_SUCH_PEER);
  EXPECT_THAT(status(*xena_, "x"), SizeIs(1));
}

TEST_F(DaemonTest, ASilentPeerIsUnreachableAndNothingStays) {
  jacinth_->daemon.reset();
  const auto done = up(*xena_, "jacinth", 300ms);
  EXPECT_EQ(done.status(), control::UNREACHABLE);
  EXPECT_THAT(done.message(), ContainsRegex("jacinth did not answer within [0-9]+ m?s"));
  EXPECT_THAT(xena_->netd.installed, IsEmpty());
  EXPECT_EQ(peer_status(*xena_).state(), "failed");
}

TEST_F(DaemonTest, ASilentPeersSideTunnelShakesHandsAnew) {
  jacinth_->daemon.reset();
  xena_->netd.side_endpoints.clear();
  EXPECT_EQ(up(*xena_, "jacinth", 500ms).status(), control::UNREACHABLE);
  EXPECT_THAT(xena_->netd.side_endpoints, IsEmpty());
  EXPECT_EQ(up(*xena_, "jacinth", 3s).status(), control::UNREACHABLE);
  EXPECT_THAT(xena_->netd.side_endpoints, SizeIs(1));
  EXPECT_EQ(xena_->netd.side_endpoints[0].second.to_string(), "192.0.2.1:4297");
}

TEST_F(DaemonTest, ARefusalCarriesThePeersWords) {
  jacinth_->netd.install_error = base::Error{base::ErrorCode::kConflict, "beryl holds 10.44.0.0/24"};
  const auto done = up(*xena_, "jacinth");
  EXPECT_EQ(done.status(), control::REFUSED);
  EXPECT_THAT(done.message(), AllOf(HasSubstr("jacinth refused: CONFLICT"), HasSubstr("beryl holds 10.44.0.0/24")));
  EXPECT_THAT(xena_->netd.installed, IsEmpty());
}

TEST_F(DaemonTest, AFailureHereIsToldAsSuch) {
  xena_->netd.install_error = base::Error{base::ErrorCode::kFull, "wg0 is full"};
  const auto done = up(*xena_, "jacinth");
  EXPECT_EQ(done.status(), control::FAILED);
  EXPECT_THAT(done.message(), HasSubstr("wg0 is full"));
  EXPECT_TRUE(run_until([&] { return jacinth_->netd.installed.empty(); }));
}

// The peer may stand on the interface whose netd was killed: the next daemon adopts it, and finds the other end as
// ready.
TEST_F(DaemonTest, F40WhatFailsBecauseNetdHasGoneIsToldToNobody) {
  xena_->netd.install_error = base::Error{base::ErrorCode::kInternal, "anubis-netd has ended"};
  xena_->netd.when_installing = [&] { xena_->daemon->abandon(); };
  TestClient client(xena_->places.socket);
  control::Command command;
  command.mutable_up()->set_name("jacinth");
  client.send(command);
  EXPECT_FALSE(run_until([] { return false; }));  // the loop was stopped
  EXPECT_THAT(xena_->netd.installs, SizeIs(1));
  run_for(100ms);
  EXPECT_THAT(xena_->netd.removals, IsEmpty());
  EXPECT_THAT(client.responses(), IsEmpty());
  EXPECT_THAT(jacinth_->netd.installed, ElementsAre(jacinth_->index_of(*xena_)));
}

TEST_F(DaemonTest, WithoutAHandshakeThePeerIsNotUp) {
  xena_->netd.reports.clear();
  const auto done = up(*xena_, "jacinth", 3s);
  EXPECT_EQ(done.status(), control::UNREACHABLE);
  EXPECT_THAT(done.message(), HasSubstr("no WireGuard handshake came through"));
  EXPECT_TRUE(run_until([&] { return jacinth_->netd.installed.empty(); }));
}

TEST_F(DaemonTest, DownAllTellsItsProgress) {
  ASSERT_EQ(up(*xena_, "jacinth").status(), control::DONE);
  control::Command command;
  command.mutable_down()->set_all(true);
  const auto responses = ask(*xena_, command);
  ASSERT_THAT(responses, SizeIs(2));
  EXPECT_EQ(responses[0].progress().name(), "jacinth");
  EXPECT_EQ(responses[0].progress().done(), 1u);
  EXPECT_EQ(responses[0].progress().total(), 1u);
  EXPECT_EQ(responses[1].done().status(), control::DONE);
  EXPECT_THAT(jacinth_->netd.installed, IsEmpty());
  EXPECT_TRUE(done(*xena_, command).was_so_already());
}

TEST_F(DaemonTest, AMonitorHearsEveryChange) {
  control::Command command;
  command.mutable_monitor();
  TestClient monitor(jacinth_->places.socket);
  monitor.send(command);
  ASSERT_TRUE(run_until([&] { return !monitor.closed() && monitor.responses().size() == 1; }));
  EXPECT_TRUE(monitor.responses()[0].has_host());
  ASSERT_EQ(up(*xena_, "jacinth").status(), control::DONE);
  ASSERT_EQ(down(*xena_, "jacinth").status(), control::DONE);
  ASSERT_TRUE(run_until([&] { return !monitor.closed() && monitor.responses().size() == 3; }));
  const auto responses = monitor.responses();
  EXPECT_EQ(responses[1].event().kind(), "state");
  EXPECT_EQ(responses[1].event().peer(), "xena");
  EXPECT_EQ(responses[1].event().state(), "up");
  EXPECT_EQ(responses[2].event().state(), "down");
  EXPECT_EQ(responses[2].event().reason(), "taken down by the peer");
}

TEST_F(DaemonTest, ACommandOfALaterVersionIsToldSo) {
  const auto answer = done(*xena_, control::Command());
  EXPECT_EQ(answer.status(), control::FAILED);
  EXPECT_THAT(answer.message(), HasSubstr("does not know that command"));
}

// --- reload

TEST_F(DaemonTest, F61AReloadOfABrokenFileLeavesTheSessionAlone) {
  ASSERT_EQ(up(*xena_, "jacinth").status(), control::DONE);
  xena_->peer_source.next = base::fail(base::ErrorCode::kInvalid, "xena.toml:6:1: colour is no key");
  const auto answer = reload(*xena_);
  EXPECT_EQ(answer.status(), control::FAILED);
  EXPECT_THAT(answer.message(), AllOf(HasSubstr("xena.toml:6:"), HasSubstr("nothing was changed")));
  EXPECT_EQ(peer_status(*xena_).state(), "up");
}

TEST_F(DaemonTest, F68APeerThatAReloadRemovesIsTakenDown) {
  ASSERT_EQ(up(*xena_, "jacinth").status(), control::DONE);
  const auto answer = reload(*xena_);
  EXPECT_EQ(answer.status(), control::DONE);
  EXPECT_THAT(answer.message(), HasSubstr("0 peers: 0 added, 0 changed, 1 removed"));
  EXPECT_EQ(up(*xena_, "jacinth").status(), control::NO_SUCH_PEER);
  EXPECT_THAT(status(*xena_), SizeIs(2));
}

TEST_F(DaemonTest, HostsAreThisOneThePeersAndTheOthersAndFollowAReload) {
  model::Peer jacinth = jacinth_->as_peer();
  jacinth.lan_addresses = {*model::IpAddress::parse("192.168.7.1")};
  netd::Reloaded fresh;
  fresh.peers = {jacinth};
  fresh.hosts.own = {"xena", {*model::IpAddress::parse("fd44::2")}, {}};
  fresh.hosts.others = {{"printer", {}, {*model::IpAddress::parse("192.168.7.9")}}};
  xena_->peer_source.next = fresh;
  ASSERT_EQ(reload(*xena_).status(), control::DONE);
  control::Command command;
  command.mutable_hosts();
  const auto responses = ask(*xena_, command);
  ASSERT_THAT(responses, SizeIs(4));
  EXPECT_EQ(responses[0].named_host().kind(), "this host");
  EXPECT_EQ(responses[0].named_host().wireguard_name(), "xenawg");
  EXPECT_THAT(responses[0].named_host().addresses(), ElementsAre("fd44::2"));
  EXPECT_EQ(responses[1].named_host().name(), "jacinth");
  EXPECT_EQ(responses[1].named_host().kind(), "peer");
  EXPECT_THAT(responses[1].named_host().lan_addresses(), ElementsAre("192.168.7.1"));
  EXPECT_EQ(responses[2].named_host().kind(), "host");
  EXPECT_THAT(responses[2].named_host().lan_addresses(), ElementsAre("192.168.7.9"));
  EXPECT_EQ(responses[3].done().status(), control::DONE);
}

// --- roaming

std::vector<model::Sighting> at(const char* address) {
  return {{.kind = model::SightingKind::kAddress,
           .link = "eth0",
           .is_uplink = true,
           .address = *model::IpAddress::parse(address)}};
}

TEST_F(DaemonTest, AnAutomaticPeerComesUpAwayFromHomeAndGoesDownAtHome) {
  xena_->daemon.reset();
  model::Peer jacinth = jacinth_->as_peer();
  jacinth.is_automatic = true;
  xena_->directory.replace({jacinth});
  xena_->config.roaming = {{roaming::parse_mark("192.168.7.0/24").value()}, 0s};
  xena_->netd.sightings = at("10.0.0.9");
  ASSERT_TRUE(xena_->start(loop_));
  EXPECT_TRUE(comes_to_be(*xena_, "up"));
  EXPECT_EQ(status(*xena_).at(0).host().place(), "away");

  // Until the place is another one, users may do as they like.
  ASSERT_EQ(down(*xena_, "jacinth").status(), control::DONE);
  control::Command event;
  event.mutable_nm_event()->set_connections_known(true);
  EXPECT_EQ(done(*xena_, event).status(), control::DONE);
  run_for(500ms);
  EXPECT_EQ(peer_status(*xena_).state(), "down");
  ASSERT_EQ(up(*xena_, "jacinth").status(), control::DONE);

  control::Command command;
  command.mutable_monitor();
  TestClient monitor(xena_->places.socket);
  monitor.send(command);
  ASSERT_TRUE(run_until([&] { return !monitor.closed() && monitor.responses().size() == 1; }));
  xena_->netd.move_to(at("192.168.7.20"));
  EXPECT_TRUE(comes_to_be(*xena_, "down"));
  EXPECT_THAT(jacinth_->netd.installed, IsEmpty());
  EXPECT_EQ(status(*xena_).at(0).host().place_reason(), "address 192.168.7.20 on eth0 is within 192.168.7.0/24");
  ASSERT_FALSE(monitor.closed());
  const auto heard = monitor.responses();
  ASSERT_GE(heard.size(), 2u);
  EXPECT_EQ(heard[1].event().kind(), "place");
  EXPECT_EQ(heard[1].event().state(), "home");
}

// --- start and end

TEST_F(DaemonTest, ASecondDaemonIsRefusedBeforeItTouchesAnything) {
  Host second(folder_, "second", 4);
  second.places.socket = xena_->places.socket;
  auto started = second.start(loop_);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("another anubisd answers at"));
  second.places = {folder_ / "second.sock", xena_->places.state_directory};
  started = second.start(loop_);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("another anubisd uses"));
  EXPECT_THAT(second.netd.brought_up, IsEmpty());
  EXPECT_FALSE(second.netd.torn_down);
}

TEST_F(DaemonTest, F58StopTellsThePeersAndTakesEverythingAway) {
  ASSERT_EQ(up(*xena_, "jacinth").status(), control::DONE);
  xena_->daemon->stop();
  loop_.run();  // until the daemon has stopped it
  loop_.restart();
  EXPECT_THAT(jacinth_->netd.installed, IsEmpty());
  EXPECT_TRUE(xena_->netd.torn_down);
  EXPECT_FALSE(std::filesystem::exists(xena_->places.socket));
}

TEST_F(DaemonTest, F58StopDoesNotWaitForAPeerThatIsSilent) {
  ASSERT_EQ(up(*xena_, "jacinth").status(), control::DONE);
  jacinth_->daemon.reset();
  const base::Time begin = base::BootClock::now();
  xena_->daemon->stop();
  loop_.run();
  loop_.restart();
  EXPECT_LT(base::BootClock::now() - begin, 5s);
  EXPECT_TRUE(xena_->netd.torn_down);
}

TEST_F(DaemonTest, F41TheNextDaemonAdoptsWhatTheLastHandedOver) {
  ASSERT_EQ(up(*xena_, "jacinth").status(), control::DONE);
  xena_->daemon->hand_over();
  loop_.run();
  loop_.restart();
  xena_->daemon.reset();
  EXPECT_FALSE(xena_->netd.torn_down);
  const auto installs = xena_->netd.installs.size();
  const auto removals = xena_->netd.removals.size();

  ASSERT_TRUE(xena_->start(loop_));
  EXPECT_EQ(peer_status(*xena_).state(), "up");
  EXPECT_TRUE(up(*xena_, "jacinth").was_so_already());
  // A renewal looks after its peer, but keeps what it finds.
  ASSERT_EQ(xena_->netd.installs.size(), installs + 1);
  EXPECT_FALSE(xena_->netd.installs.back().recreate);
  EXPECT_EQ(xena_->netd.removals.size(), removals);
}

TEST_F(DaemonTest, F41ASessionKeepsItsRoleAndItsLeaseAcrossARestart) {
  control::Command command;
  command.mutable_up()->set_name("jacinth");
  command.mutable_up()->set_timeout_ms(10'000);
  command.mutable_up()->set_lease_seconds(100);
  ASSERT_EQ(done(*xena_, command).status(), control::DONE);
  for (Host* host : {&*xena_, &*jacinth_}) {
    host->daemon->hand_over();
    loop_.run();
    loop_.restart();
    ASSERT_TRUE(host->start(loop_));
  }
  EXPECT_TRUE(peer_status(*xena_).initiator());
  EXPECT_FALSE(peer_status(*jacinth_).initiator());
  for (const Host* host : {&*xena_, &*jacinth_}) {
    EXPECT_EQ(peer_status(*host).state(), "up");
    EXPECT_THAT(peer_status(*host).lease_seconds_left(), AllOf(testing::Ge(80u), testing::Le(100u)));
  }
}

TEST_F(DaemonTest, AStartThatFailsTakesAwayWhatItMade) {
  xena_->daemon.reset();
  xena_->netd.bring_up_error = base::Error{base::ErrorCode::kUnsupported, "no WireGuard here"};
  const auto started = xena_->start(loop_);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, "no WireGuard here");
  EXPECT_TRUE(xena_->netd.torn_down);
}

// The wireguard-go that serves a link that stands there has just been killed.
TEST_F(DaemonTest, F40AStartIsTriedAgainWhileWhatWasThereGoesAway) {
  xena_->daemon.reset();
  xena_->netd.bring_up_error = base::Error{base::ErrorCode::kIo, "connection reset by peer"};
  xena_->netd.bring_up_fails = 2;
  EXPECT_TRUE(xena_->start(loop_));
  EXPECT_FALSE(xena_->netd.torn_down);
}

TEST_F(DaemonTest, AStartThatFailsLeavesTheSessionsOfTheLastDaemon) {
  ASSERT_EQ(up(*xena_, "jacinth").status(), control::DONE);
  xena_->daemon.reset();
  xena_->netd.bring_up_error = base::Error{base::ErrorCode::kExists, "something else is there"};
  EXPECT_FALSE(xena_->start(loop_));
  EXPECT_FALSE(xena_->netd.torn_down);
}

// --- interfaces

TEST_F(DaemonTest, F45SessionsAreInstalledAgainOnAnInterfaceThatWasMadeAnew) {
  ASSERT_EQ(up(*xena_, "jacinth").status(), control::DONE);
  xena_->netd.installed.clear();
  xena_->netd.anew = {Interface::kProduction};
  xena_->netd.disturb(Interface::kProduction);
  EXPECT_TRUE(run_until([&] { return xena_->netd.installed.size() == 1; }));
  EXPECT_EQ(peer_status(*xena_).state(), "up");
}

TEST_F(DaemonTest, F45TheSideServiceIsOpenedAgainOnAnInterfaceThatWasMadeAnew) {
  xena_->netd.anew = {Interface::kSide};
  xena_->netd.disturb(Interface::kSide);
  ASSERT_TRUE(run_until([&] { return xena_->netd.brought_up[Interface::kSide] == 2; }));
  EXPECT_EQ(up(*xena_, "jacinth").status(), control::DONE);
}

TEST_F(DaemonTest, DriftIsAnEventWithThePeersName) {
  TestClient monitor(xena_->places.socket);
  control::Command command;
  command.mutable_monitor();
  monitor.send(command);
  ASSERT_TRUE(run_until([&] { return !monitor.closed() && monitor.responses().size() == 1; }));
  xena_->netd.drift = {
      {.kind = netd::DriftKind::kPeerRemoved, .interface = Interface::kProduction, .peer = xena_->index_of(*jacinth_)}};
  xena_->netd.disturb(Interface::kProduction);
  ASSERT_TRUE(run_until([&] { return !monitor.closed() && monitor.responses().size() == 2; }));
  const auto event = monitor.responses().back().event();
  EXPECT_EQ(event.kind(), "drift");
  EXPECT_EQ(event.peer(), "jacinth");
  EXPECT_EQ(event.reason(), "somebody removed jacinth from wg0: it is back");
}

TEST_F(DaemonTest, AnInterfaceThatCannotBeHealedIsToldAndTriedAgain) {
  xena_->netd.bring_up_error = base::Error{base::ErrorCode::kIo, "wg0: the cable is cut"};
  xena_->netd.disturb(Interface::kProduction);
  ASSERT_TRUE(run_until([&] { return xena_->netd.brought_up[Interface::kProduction] >= 2; }));
  EXPECT_EQ(status(*xena_).at(0).host().degraded(), "wg0: the cable is cut");
  xena_->netd.bring_up_error.reset();
  const int before = xena_->netd.brought_up[Interface::kProduction];
  ASSERT_TRUE(run_until([&] { return xena_->netd.brought_up[Interface::kProduction] > before; }));
  EXPECT_EQ(status(*xena_).at(0).host().degraded(), "");
}

}  // namespace
}  // namespace anubis::daemon

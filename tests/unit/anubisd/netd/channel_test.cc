// The two ends of the channel against each other: RemoteNetd, and a Server with a privileged side that is played. And
// the server alone against somebody who has taken anubisd over.
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "anubisd/netd/remote_netd.h"
#include "anubisd/netd/server.h"
#include "lib/crypto/suites.h"
#include "tests/unit/anubisd/fake_netd.h"
#include "tests/unit/anubisd/folder.h"
#include "tests/unit/anubisd/netd/host.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using crypto::Suite;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kSuite = Suite::kXChaCha20Poly1305;

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator()));
}

bool is_readable(int fd, int milliseconds) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, milliseconds) == 1;
}

model::IpAddress address(std::string_view text) { return model::IpAddress::parse(text).value(); }

// jacinth has addresses, beryl a name, roamer nothing. jacinth has a preshared key.
config::Config config_with_peers() {
  config::Config config = xena();
  config.suites = crypto::available_suites();  // as a file has it that says nothing of them
  config.roaming = {{roaming::parse_mark("192.168.7.0/24").value()}, std::chrono::seconds(7)};
  config.production.throw_ranges = {model::IpPrefix::parse("192.168.122.0/24").value()};
  config.production.direct_ranges = {model::IpPrefix::parse("192.168.7.0/24").value()};
  config.hosts.own = {"xena", {address("10.44.0.7")}, {address("192.168.7.2")}};
  config.hosts.others = {{"printer", {}, {address("192.168.7.9"), address("2001:db8::9")}}};
  model::Peer jacinth = peer("jacinth", 1, {"10.44.1.0/24", "fd44:1::/64"});
  jacinth.addresses = {address("10.44.1.1"), address("fd44:1::1")};
  jacinth.endpoint_ports = {53, 443};
  jacinth.lan_addresses = {address("192.168.7.1")};
  jacinth.preshared_key = std::make_shared<crypto::PresharedKey>(secret(99));
  jacinth.lease = std::chrono::hours(1);
  jacinth.group = "gateways";
  jacinth.is_automatic = true;
  jacinth.persistent_keepalive = 25;
  model::Peer beryl = peer("beryl", 2, {"10.44.2.0/24"});
  beryl.endpoint = model::HostPort{"beryl.example.net", 4296};
  beryl.side_endpoint = model::HostPort{"beryl.example.net", 4297};
  model::Peer roamer = peer("roamer", 3, {"10.44.3.0/24"});
  roamer.endpoint.reset();
  roamer.side_endpoint.reset();
  roamer.is_plain = true;
  roamer.companion_key = crypto::CompanionPublicKey(crypto::ProductionPrivateKey(secret(77)).public_key());
  config.companion.enabled = true;
  config.peers = {jacinth, beryl, roamer};
  return config;
}

constexpr PeerIndex kJacinth{0};
constexpr PeerIndex kBeryl{1};
constexpr PeerIndex kRoamer{2};
constexpr PeerIndex kNobody{3};

// A server on a thread of its own, until its channel ends.
class ChannelTest : public testing::Test {
 protected:
  ChannelTest() {
    crypto::initialise();
    authority_ = Authority::create(folder_ / "anubis.toml", config_with_peers()).value();
    auto ends = Channel::create_pair();
    ours_.emplace(std::move(ends->first));
    auto server = Server::create(std::move(ends->second), fake_, *authority_, [this](const auto& changes) {
      for (const auto& [index, was] : changes.removed) removed_.push_back(was.name);
      return apply_status_;
    });
    server_.emplace(std::move(*server));
  }
  ~ChannelTest() override { (void)end(); }

  void serve() {
    thread_ = std::thread([this] {
      ASSERT_TRUE(server_->greet());
      end_ = server_->serve(-1, [] { return false; });
      server_.reset();
    });
  }
  // How the server ended, after we have gone, if it did not before.
  std::optional<ServingEnd> end() {
    ours_.reset();
    if (thread_.joinable()) thread_.join();
    return end_;
  }

  daemon::Folder folder_;
  daemon::FakeNetd fake_;
  std::unique_ptr<Authority> authority_;
  std::optional<Channel> ours_;
  std::vector<std::string> removed_;
  base::Status apply_status_;

 private:
  std::optional<Server> server_;
  std::optional<ServingEnd> end_;
  std::thread thread_;
};

class RemoteNetdTest : public ChannelTest {
 protected:
  void SetUp() override {
    serve();
    auto connected = RemoteNetd::connect(std::move(*ours_));
    ASSERT_TRUE(connected) << connected.error().message;
    netd_ = std::move(connected->netd);
    snapshot_ = std::move(connected->snapshot);
  }
  void TearDown() override { netd_.reset(); }

  // The configuration in a file, with these peers.
  void write_config(const std::string& extra) {
    for (const auto& [name, first] : {std::pair{"a.key", 'C'}, std::pair{"b.key", 'E'}}) {
      std::ofstream(folder_ / name) << first << std::string(40, 'A') << "EA=";
      std::filesystem::permissions(folder_ / name, std::filesystem::perms(0600));
    }
    std::ofstream(folder_ / "anubis.toml")
        << "name = \"xena\"\n[production]\nprivate_key_file = \"a.key\"\n[side]\nprivate_key_file = \"b.key\"\n"
        << extra;
  }
  base::Result<Reloaded> reload() {
    if (auto status = netd_->begin_reload(); !status) return base::fail(status.error());
    EXPECT_TRUE(is_readable(netd_->reload_fd(), 10'000));
    return netd_->take_reload();
  }

  std::unique_ptr<RemoteNetd> netd_;
  std::optional<Snapshot> snapshot_;
};

TEST_F(RemoteNetdTest, TheGreetingBringsTheAuthorisedSetWithoutSecrets) {
  const auto config = config_with_peers();
  EXPECT_EQ(snapshot_->config.name, "xena");
  EXPECT_EQ(snapshot_->config.production.interface, "wg0");
  EXPECT_EQ(snapshot_->config.production.public_key, config.production.public_key);
  EXPECT_EQ(snapshot_->config.production.listen_port, 4296);
  EXPECT_EQ(snapshot_->config.side.interface, "anubis0");
  EXPECT_EQ(snapshot_->config.side.public_key, config.side.public_key);
  EXPECT_EQ(snapshot_->config.side.service_port, 4298);
  EXPECT_EQ(snapshot_->config.side.address, config.side.address);
  EXPECT_EQ(snapshot_->config.control.socket, "/run/anubis/control.sock");
  EXPECT_EQ(snapshot_->config.control.group, "anubis");
  EXPECT_EQ(snapshot_->config.production.throw_ranges, config.production.throw_ranges);
  EXPECT_EQ(snapshot_->config.production.direct_ranges, config.production.direct_ranges);
  EXPECT_EQ(snapshot_->config.hosts, config.hosts);

  const auto& peers = snapshot_->set.peers;
  ASSERT_THAT(peers, SizeIs(3));
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const model::Peer& wanted = config.peers[i];
    EXPECT_EQ(peers[i].name, wanted.name);
    EXPECT_EQ(peers[i].public_key, wanted.public_key);
    EXPECT_EQ(peers[i].side_public_key, wanted.side_public_key);
    EXPECT_EQ(peers[i].side_address, wanted.side_address);
    EXPECT_EQ(peers[i].endpoint, wanted.endpoint);
    EXPECT_EQ(peers[i].side_endpoint, wanted.side_endpoint);
    EXPECT_EQ(peers[i].endpoint_ports, wanted.endpoint_ports);
    EXPECT_EQ(peers[i].allowed_ips, wanted.allowed_ips);
    EXPECT_EQ(peers[i].addresses, wanted.addresses);
    EXPECT_EQ(peers[i].lan_addresses, wanted.lan_addresses);
    EXPECT_EQ(peers[i].persistent_keepalive, wanted.persistent_keepalive);
    EXPECT_EQ(peers[i].lease, wanted.lease);
    EXPECT_EQ(peers[i].group, wanted.group);
    EXPECT_EQ(peers[i].is_automatic, wanted.is_automatic);
    EXPECT_EQ(peers[i].is_plain, wanted.is_plain);
    EXPECT_EQ(peers[i].companion_key, wanted.companion_key);
    EXPECT_EQ(peers[i].preshared_key, nullptr);
  }
}

TEST_F(RemoteNetdTest, EveryCallArrivesAndIsAnswered) {
  const auto interface = netd_->bring_up(Interface::kSide);
  ASSERT_TRUE(interface);
  EXPECT_EQ(interface->name, "anubis0");
  EXPECT_TRUE(interface->fresh);
  EXPECT_EQ(fake_.brought_up[Interface::kSide], 1);

  const auto key = std::make_shared<crypto::WireGuardPresharedKey>(secret(5));
  const auto presence = netd_->install({.peer = kJacinth,
                                        .recreate = true,
                                        .endpoint = endpoint("192.0.2.1:4296"),
                                        .initiate_handshake = true,
                                        .with_routes = false,
                                        .preshared_key = key});
  ASSERT_TRUE(presence);
  EXPECT_EQ(*presence, Presence::kCreated);
  ASSERT_THAT(fake_.installs, SizeIs(1));
  EXPECT_EQ(fake_.installs[0].peer, kJacinth);
  EXPECT_TRUE(fake_.installs[0].recreate);
  EXPECT_EQ(fake_.installs[0].endpoint, endpoint("192.0.2.1:4296"));
  EXPECT_TRUE(fake_.installs[0].initiate_handshake);
  EXPECT_FALSE(fake_.installs[0].with_routes);
  ASSERT_TRUE(fake_.installs[0].preshared_key);
  EXPECT_TRUE(fake_.installs[0].preshared_key->equals(*key));

  EXPECT_THAT(netd_->installed_peers().value(), ElementsAre(kJacinth));
  EXPECT_TRUE(netd_->handshake_done(kJacinth));
  EXPECT_THAT(fake_.handshakes_done, ElementsAre(kJacinth));
  EXPECT_TRUE(netd_->remove(kJacinth));
  EXPECT_THAT(fake_.removals, ElementsAre(kJacinth));
  EXPECT_TRUE(netd_->set_side_endpoint(kBeryl, endpoint("198.51.100.1:4297")));
  EXPECT_THAT(fake_.side_endpoints, ElementsAre(std::pair(kBeryl, endpoint("198.51.100.1:4297"))));
  EXPECT_TRUE(netd_->tear_down());
  EXPECT_TRUE(fake_.torn_down);
}

TEST_F(RemoteNetdTest, ReportsOfManyPeersAndOfOne) {
  for (std::uint32_t i = 0; i < 100; ++i) {
    fake_.reports[{Interface::kProduction, PeerIndex{i}}] = {.peer = PeerIndex{i}, .rx_bytes = i};
  }
  const auto all = netd_->report(Interface::kProduction);
  ASSERT_TRUE(all);
  ASSERT_THAT(*all, SizeIs(100));
  EXPECT_EQ((*all)[99].rx_bytes, 99u);
  EXPECT_THAT(netd_->report(Interface::kSide).value(), IsEmpty());
  EXPECT_EQ(netd_->report(Interface::kProduction, PeerIndex{7}).value()->rx_bytes, 7u);
  EXPECT_EQ(netd_->report(Interface::kSide, PeerIndex{7}).value(), std::nullopt);
}

TEST_F(RemoteNetdTest, ErrorsKeepTheirCodeAndTheirWords) {
  fake_.install_error = base::Error{ErrorCode::kConflict, "10.44.1.0/24 is in use by beryl"};
  const auto presence = netd_->install({.peer = kJacinth});
  ASSERT_FALSE(presence);
  EXPECT_EQ(presence.error().code, ErrorCode::kConflict);
  EXPECT_EQ(presence.error().message, "10.44.1.0/24 is in use by beryl");
}

TEST_F(RemoteNetdTest, WhatHappensToTheInterfacesIsTold) {
  EXPECT_FALSE(is_readable(netd_->event_fd(), 0));
  // The fake is the server's: in its thread, when it looks at what has happened.
  fake_.disturb(Interface::kProduction);
  ASSERT_TRUE(netd_->tear_down());  // wakes it up
  ASSERT_TRUE(is_readable(netd_->event_fd(), 10'000));
  EXPECT_THAT(netd_->interfaces_to_heal(), ElementsAre(Interface::kProduction));
  EXPECT_FALSE(is_readable(netd_->event_fd(), 0));
  EXPECT_THAT(netd_->interfaces_to_heal(), IsEmpty());
}

TEST_F(RemoteNetdTest, DriftComesOnce) {
  const Drift removed{.kind = DriftKind::kPeerRemoved, .interface = Interface::kProduction, .peer = kJacinth};
  fake_.drift = {removed};
  EXPECT_THAT(netd_->take_drift(), ElementsAre(removed));
  EXPECT_THAT(netd_->take_drift(), IsEmpty());
}

TEST_F(RemoteNetdTest, TheMessageKeysAreThoseOfThePeersOtherEnd) {
  const auto ours = netd_->derive_message_keys(kJacinth, model::Speaker::kPeer, kSuite);
  ASSERT_TRUE(ours) << ours.error().message;
  const crypto::ProductionPrivateKey jacinth(secret(2));
  const crypto::PresharedKey preshared(secret(99));
  const auto theirs = crypto::derive_message_keys(kSuite, jacinth, jacinth.public_key(),
                                                  config_with_peers().production.public_key, &preshared);
  ASSERT_TRUE(theirs);
  EXPECT_TRUE(ours->sending.equals(theirs->receiving));
  EXPECT_TRUE(ours->receiving.equals(theirs->sending));
}

TEST_F(RemoteNetdTest, TheMessageKeysOfACompanionAreThoseOfItsPage) {
  const auto ours = netd_->derive_message_keys(kRoamer, model::Speaker::kCompanion, kSuite);
  ASSERT_TRUE(ours) << ours.error().message;
  const crypto::ProductionPrivateKey page(secret(77));
  const auto theirs =
      crypto::derive_message_keys(kSuite, page, page.public_key(), config_with_peers().production.public_key, nullptr);
  ASSERT_TRUE(theirs);
  EXPECT_TRUE(ours->sending.equals(theirs->receiving));
  EXPECT_TRUE(ours->receiving.equals(theirs->sending));
  EXPECT_EQ(netd_->derive_message_keys(kBeryl, model::Speaker::kCompanion, kSuite).error().code, ErrorCode::kNotFound);
}

TEST_F(RemoteNetdTest, WhetherABearerHasAWayIsAsked) {
  fake_.unreachable.insert(endpoint("[2001:db8::1]:1").address);
  EXPECT_TRUE(netd_->check_bearer_way(endpoint("192.0.2.1:1").address));
  EXPECT_EQ(netd_->check_bearer_way(endpoint("[2001:db8::1]:1").address).error().code, ErrorCode::kUnreachable);
}

TEST_F(RemoteNetdTest, ASocketIsLentForItsBufferOnly) {
  const base::Fd udp(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_TRUE(netd_->tear_down());  // the server has closed what the greeting left
  const auto before = open_descriptors();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(netd_->widen_receive_buffer(udp.get()));
  ASSERT_TRUE(netd_->tear_down());  // the server has finished with the last
  EXPECT_EQ(open_descriptors(), before);
}

// --- reload

TEST_F(RemoteNetdTest, AReloadBringsTheNewSetAndTheIndicesAgree) {
  write_config(R"([[peer]]
name = "jacinth"
public_key = ")" +
               config_with_peers().peers[0].public_key.to_base64() + R"("
side_public_key = ")" +
               config_with_peers().peers[0].side_public_key.to_base64() + R"("
)");
  apply_status_ = base::fail(ErrorCode::kIo, "anubis0: no");
  model::InMemoryDirectory directory;
  directory.replace(std::exchange(snapshot_->set.peers, {}));
  EXPECT_FALSE(is_readable(netd_->reload_fd(), 0));
  auto reloaded = reload();
  ASSERT_TRUE(reloaded) << reloaded.error().message;
  ASSERT_THAT(reloaded->peers, SizeIs(1));
  // The preshared key is gone from the file: anubisd cannot see it, but that something has changed.
  EXPECT_EQ(reloaded->peers[0].secrets_version, 1u);
  ASSERT_FALSE(reloaded->applied);
  EXPECT_EQ(reloaded->applied.error().message, "anubis0: no");
  EXPECT_THAT(reloaded->restart_needed, ElementsAre("[production]", "[side]", "[companion]"));
  EXPECT_THAT(removed_, ElementsAre("beryl", "roamer"));

  const auto changes = directory.replace(std::move(reloaded->peers));
  EXPECT_THAT(changes.changed, ElementsAre(kJacinth));
  EXPECT_THAT(changes.removed, SizeIs(2));
  EXPECT_TRUE(netd_->derive_message_keys(kJacinth, model::Speaker::kPeer, kSuite));
  EXPECT_EQ(netd_->derive_message_keys(kBeryl, model::Speaker::kPeer, kSuite).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(is_readable(netd_->reload_fd(), 0));
}

TEST_F(RemoteNetdTest, F61ABrokenFileChangesNothingAtEitherEnd) {
  std::string faults;
  for (int i = 0; i < 15; ++i)
    faults += "a-key-that-nobody-knows-and-whose-name-is-rather-long-" + std::to_string(i) + " = 1\n";
  write_config("[[peer]]\n" + faults);
  const auto reloaded = reload();
  ASSERT_FALSE(reloaded);
  EXPECT_THAT(reloaded.error().message, AllOf(HasSubstr("anubis.toml:7:"), HasSubstr("long-14")));
  EXPECT_GT(reloaded.error().message.size(), kReplyRoom);  // no longer than an answer may be
  EXPECT_THAT(removed_, IsEmpty());
  EXPECT_TRUE(netd_->derive_message_keys(kRoamer, model::Speaker::kPeer, kSuite));
}

TEST_F(RemoteNetdTest, AReloadIsTakenOnceItWasRead) {
  EXPECT_EQ(netd_->take_reload().error().code, ErrorCode::kBusy);
  write_config("");
  ASSERT_TRUE(netd_->begin_reload());
  EXPECT_EQ(netd_->begin_reload().error().code, ErrorCode::kBusy);
  ASSERT_TRUE(is_readable(netd_->reload_fd(), 10'000));
  EXPECT_TRUE(netd_->take_reload());
  EXPECT_EQ(netd_->take_reload().error().code, ErrorCode::kBusy);
}

TEST_F(RemoteNetdTest, AReloadBringsWhatHomeIs) {
  EXPECT_THAT(snapshot_->config.roaming.home, ElementsAre(roaming::parse_mark("192.168.7.0/24").value()));
  EXPECT_EQ(snapshot_->config.roaming.hold_down, std::chrono::seconds(7));
  write_config("[roaming]\nhome = [\"MyHomeWifi\", \"52:54:00:12:34:56\"]\n");
  const auto reloaded = reload();
  ASSERT_TRUE(reloaded);
  EXPECT_THAT(reloaded->roaming.home,
              ElementsAre(roaming::parse_mark("MyHomeWifi").value(), roaming::parse_mark("52:54:00:12:34:56").value()));
  EXPECT_EQ(reloaded->roaming.hold_down, std::chrono::seconds(5));
}

TEST_F(RemoteNetdTest, AReloadBringsWhatHostsAreCalled) {
  write_config("[[host]]\nname = \"scanner\"\nlan_addresses = [\"192.168.7.10\"]\n");
  const auto reloaded = reload();
  ASSERT_TRUE(reloaded);
  EXPECT_EQ(reloaded->hosts.own, (model::Host{"xena", {address("10.44.0.7")}, {}}));
  EXPECT_THAT(reloaded->hosts.others, ElementsAre(model::Host{"scanner", {}, {address("192.168.7.10")}}));
}

TEST_F(RemoteNetdTest, AChangeOfTheSurroundingsIsToldUntilSomebodyLooksAround) {
  EXPECT_FALSE(is_readable(netd_->surroundings_fd(), 0));
  const model::Sighting seen{.kind = model::SightingKind::kAddress, .link = "eth0", .address = ip("192.0.2.7")};
  fake_.move_to({seen});
  ASSERT_TRUE(is_readable(netd_->surroundings_fd(), 10'000));
  const auto sightings = netd_->look_around();
  ASSERT_TRUE(sightings);
  EXPECT_THAT(*sightings, ElementsAre(seen));
  EXPECT_FALSE(is_readable(netd_->surroundings_fd(), 20));
  fake_.move_to({});
  EXPECT_TRUE(is_readable(netd_->surroundings_fd(), 10'000));
}

// --- the end

TEST_F(RemoteNetdTest, TheServerEndsWithItsClient) {
  netd_.reset();
  EXPECT_EQ(end(), ServingEnd::kGone);
  EXPECT_FALSE(fake_.torn_down);
}

TEST_F(ChannelTest, AClientWhoseServerHasGoneIsToldOnceAndFailsFromThenOn) {
  auto ends = Channel::create_pair();
  auto server = std::make_unique<Server>(Server::create(std::move(ends->second), fake_, *authority_, {}).value());
  ASSERT_TRUE(server->greet());
  auto connected = RemoteNetd::connect(std::move(ends->first));
  ASSERT_TRUE(connected);
  int told = 0;
  connected->netd->when_gone([&] { ++told; });
  server.reset();
  EXPECT_TRUE(is_readable(connected->netd->event_fd(), 1000));
  EXPECT_TRUE(is_readable(connected->netd->reload_fd(), 0));
  EXPECT_EQ(told, 0);
  EXPECT_THAT(connected->netd->interfaces_to_heal(), IsEmpty());
  EXPECT_EQ(told, 1);
  const auto status = connected->netd->remove(kJacinth);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("anubis-netd has ended"));
  EXPECT_EQ(told, 1);
}

TEST_F(ChannelTest, AFailureToStartIsToldInFullInsteadOfTheGreeting) {
  auto ends = Channel::create_pair();
  const std::string words = std::string(5000, 'x') + " is wrong";
  greet_with_failure(ends->second, {ErrorCode::kInvalid, words});
  const auto connected = RemoteNetd::connect(std::move(ends->first));
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(connected.error().message, words);
}

TEST_F(ChannelTest, WhateverElseGreetsIsNotBelieved) {
  const auto attempt = [](std::span<const std::uint8_t> bytes, std::span<const int> descriptors) {
    auto ends = Channel::create_pair();
    EXPECT_TRUE(ends->second.send(bytes, descriptors));
    return RemoteNetd::connect(std::move(ends->first)).has_value();
  };
  const base::Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto snapshot = write_snapshot(authority_->public_config(), authority_->directory());
  EXPECT_FALSE(attempt(kGreeting, {}));
  EXPECT_FALSE(attempt(kGreeting, std::array{null.get(), null.get(), null.get(), null.get()}));
  EXPECT_FALSE(attempt(kGreeting, std::array{snapshot->get()}));
  EXPECT_FALSE(
      attempt(std::array<std::uint8_t, 16>{'h', 'i'}, std::array{snapshot->get(), null.get(), null.get(), null.get()}));
  EXPECT_FALSE(attempt(std::array<std::uint8_t, 3>{'h', 'i'}, {}));
  EXPECT_FALSE(attempt(kGreeting, std::array{snapshot->get(), null.get(), null.get()}));
  EXPECT_TRUE(attempt(kGreeting, std::array{snapshot->get(), null.get(), null.get(), null.get()}));
}

// --- anubisd was taken over

TEST_F(RemoteNetdTest, NobodyButTheAuthorisedCanBeNamed) {
  EXPECT_EQ(netd_->derive_message_keys(kNobody, model::Speaker::kPeer, kSuite).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(netd_->set_side_endpoint(kNobody, endpoint("192.0.2.9:4297")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(netd_->install({.peer = kNobody, .endpoint = endpoint("192.0.2.9:4296")}).error().code,
            ErrorCode::kNotFound);
  EXPECT_THAT(fake_.installs, IsEmpty());
  EXPECT_THAT(fake_.side_endpoints, IsEmpty());
}

TEST_F(RemoteNetdTest, APeerWithAConfiguredAddressIsNowhereElse) {
  for (const char* foreign : {"192.0.2.1:4297", "192.0.2.2:4296", "[2001:db8::1]:4296"}) {
    EXPECT_EQ(netd_->install({.peer = kJacinth, .endpoint = endpoint(foreign)}).error().code, ErrorCode::kPermission);
  }
  EXPECT_EQ(netd_->set_side_endpoint(kJacinth, endpoint("192.0.2.1:4296")).error().code, ErrorCode::kPermission);
  EXPECT_THAT(fake_.installs, IsEmpty());
  EXPECT_THAT(fake_.side_endpoints, IsEmpty());
  EXPECT_TRUE(netd_->install({.peer = kJacinth, .endpoint = endpoint("192.0.2.1:4296")}));
  EXPECT_TRUE(netd_->set_side_endpoint(kJacinth, endpoint("192.0.2.1:4297")));
}

TEST_F(RemoteNetdTest, APeerHasItsConfiguredPortOrOneOfItsEndpointPorts) {
  for (const char* good : {"192.0.2.1:53", "192.0.2.1:443"}) {
    EXPECT_TRUE(netd_->install({.peer = kJacinth, .endpoint = endpoint(good)})) << good;
    EXPECT_TRUE(netd_->set_side_endpoint(kJacinth, endpoint(good))) << good;
  }
  EXPECT_FALSE(netd_->set_side_endpoint(kJacinth, endpoint("192.0.2.2:53")));
  EXPECT_FALSE(netd_->set_side_endpoint(kJacinth, endpoint("192.0.2.1:54")));
  // Of a name the address is not known here, but its port is.
  EXPECT_FALSE(netd_->set_side_endpoint(kBeryl, endpoint("198.51.100.1:53")));
  EXPECT_FALSE(netd_->install({.peer = kBeryl, .endpoint = endpoint("198.51.100.1:4297")}));
  EXPECT_TRUE(netd_->install({.peer = kRoamer, .endpoint = endpoint("198.51.100.1:53")}));
}

TEST_F(RemoteNetdTest, NamesAndRoamersAreWhereAHostCanBe) {
  for (const char* nowhere :
       {"0.0.0.0:4296", "[::]:4296", "224.0.0.1:4296", "[ff02::1]:4296", "255.255.255.255:4296"}) {
    for (const PeerIndex each : {kBeryl, kRoamer}) {
      EXPECT_EQ(netd_->install({.peer = each, .endpoint = endpoint(nowhere)}).error().code, ErrorCode::kPermission);
      EXPECT_EQ(netd_->set_side_endpoint(each, endpoint(nowhere)).error().code, ErrorCode::kPermission);
    }
  }
  model::Endpoint without_port = endpoint("198.51.100.1:1");
  without_port.port = 0;
  EXPECT_FALSE(netd_->install({.peer = kRoamer, .endpoint = without_port}));
  model::Endpoint with_scope = endpoint("[2001:db8::1]:4296");
  with_scope.scope_id = 2;
  EXPECT_FALSE(netd_->install({.peer = kRoamer, .endpoint = with_scope}));
  EXPECT_THAT(fake_.installs, IsEmpty());
  EXPECT_TRUE(netd_->install({.peer = kBeryl, .endpoint = endpoint("198.51.100.1:4296")}));
  EXPECT_TRUE(netd_->install({.peer = kRoamer, .endpoint = endpoint("198.51.100.1:9")}));
}

class TakenOverTest : public ChannelTest {
 protected:
  void SetUp() override {
    serve();
    std::array<std::uint8_t, kGreeting.size()> greeting{};
    ASSERT_TRUE(ours_->receive(greeting));
  }
  // What it makes of a message that is not a request of ours: the channel is closed, nothing is done.
  void ends_at(std::span<const std::uint8_t> bytes, std::span<const int> descriptors = {}) {
    ASSERT_TRUE(ours_->send(bytes, descriptors));
    ReplyBytes reply{};
    const auto received = ours_->receive(reply);
    EXPECT_TRUE(received && received->size == 0);
    EXPECT_EQ(end(), ServingEnd::kMalformed);
    EXPECT_FALSE(fake_.torn_down);
  }
};

TEST_F(TakenOverTest, GarbageEndsTheChannel) { ends_at(std::vector<std::uint8_t>(kRequestSize, 0xa5)); }

TEST_F(TakenOverTest, ATruncatedRequestEndsTheChannel) {
  const RequestBytes bytes = encode({.operation = Operation::kTearDown});
  ends_at(std::span(bytes).first(kRequestSize - 1));
}

TEST_F(TakenOverTest, ALongRequestEndsTheChannel) {
  std::vector<std::uint8_t> bytes(4096);
  bytes[0] = static_cast<std::uint8_t>(Operation::kTearDown);
  ends_at(bytes);
}

TEST_F(TakenOverTest, DescriptorsThatNobodyAskedForAreClosedAndEndTheChannel) {
  const base::Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto before = open_descriptors();
  ends_at(encode({.operation = Operation::kTearDown}), std::array{null.get()});
  EXPECT_LT(open_descriptors(), before);  // both ends of the channel have gone, too
}

TEST_F(TakenOverTest, ASocketThatIsMissingEndsTheChannel) { ends_at(encode({.operation = Operation::kWidenBuffer})); }

TEST_F(TakenOverTest, ManySocketsEndTheChannel) {
  const base::Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  ends_at(encode({.operation = Operation::kWidenBuffer}), std::array{null.get(), null.get(), null.get()});
}

}  // namespace
}  // namespace anubis::netd

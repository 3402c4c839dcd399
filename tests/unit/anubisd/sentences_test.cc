#include "anubisd/sentences.h"

#include <chrono>

#include <gmock/gmock.h>

#include "anubisd/handshake_age.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using gate::Outcome;
using gate::Verdict;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

PeerFacts jacinth() {
  return {.name = "jacinth",
          .endpoint = *model::HostPort::parse("192.0.2.1:4296"),
          .side_endpoint = *model::HostPort::parse("192.0.2.1:4297"),
          .side_address = model::Endpoint{.address = *model::IpAddress::parse("192.0.2.1"), .port = 4297}};
}

PeerFacts roamer() { return {.name = "jacinth"}; }

constexpr auto kNoAnswer = Verdict::kNoAnswer;

TEST(UpFailure, NoAnswerAndTheSideTunnelNeverWorked) {
  EXPECT_EQ(up_failure({.verdict = kNoAnswer, .took = 10'002ms}, jacinth()),
            "jacinth did not answer within 10 s: the side tunnel has never completed a handshake: is anubisd running "
            "on jacinth, does it have this host's side public key, and is 4297/udp reachable at 192.0.2.1?");
}

TEST(UpFailure, NoAnswerAndTheSideTunnelDied) {
  auto facts = jacinth();
  facts.side_handshake_age = 200s;
  EXPECT_EQ(up_failure({.verdict = kNoAnswer, .took = 10s}, facts),
            "jacinth did not answer within 10 s: the side tunnel's last handshake is 3 min 20 s old; is jacinth "
            "switched on, and is 4297/udp reachable at 192.0.2.1?");
}

TEST(UpFailure, NoAnswerThoughTheSideTunnelWorks) {
  auto facts = jacinth();
  facts.side_handshake_age = 5s;
  EXPECT_EQ(up_failure({.verdict = kNoAnswer, .took = 10s}, facts),
            "jacinth did not answer within 10 s: the side tunnel's last handshake was 5 s ago, but jacinth is silent "
            "now: is jacinth still switched on and its anubisd running, does it know this host's production public "
            "key, and are Anubis' preshared keys the same at both ends?");
}

TEST(UpFailure, NoAnswerWhereTheSuiteMayBeTheReason) {
  auto facts = jacinth();
  facts.side_handshake_age = 200s;
  EXPECT_THAT(
      up_failure(
          {.verdict = kNoAnswer, .text = "this host allows only aes256gcm, which not every host has", .took = 10s},
          facts),
      EndsWith("at 192.0.2.1?; also, this host allows only aes256gcm, which not every host has"));
}

// F17: a preshared key that differs shows only in messages that do not open.
TEST(UpFailure, F17NoAnswerThatOpens) {
  auto facts = jacinth();
  facts.side_handshake_age = 5s;
  facts.unopened = 3;
  EXPECT_EQ(up_failure({.verdict = kNoAnswer, .took = 10s}, facts),
            "jacinth did not answer within 10 s: the side tunnel works (last handshake 5 s ago), but 3 messages from "
            "jacinth could not be opened: do both ends have the same preshared_key_file, and each other's production "
            "public key of today?");
}

TEST(UpFailure, NoAnswerAsTheSideEndpointDoesNotResolve) {
  auto facts = jacinth();
  facts.side_endpoint = *model::HostPort::parse("jacinth.example.net:4297");
  facts.side_address.reset();
  EXPECT_EQ(up_failure({.verdict = kNoAnswer, .took = 2s}, facts),
            "jacinth did not answer within 2 s: the side tunnel has no address to go to: does jacinth.example.net "
            "resolve?");
}

TEST(UpFailure, ARoamerThatWasNeverHeard) {
  EXPECT_THAT(up_failure({.verdict = kNoAnswer, .took = 2s}, roamer()),
              HasSubstr("no endpoint in the configuration and its side tunnel was not heard yet"));
}

TEST(UpFailure, TheNameDoesNotResolve) {
  EXPECT_EQ(
      up_failure({.verdict = Verdict::kNoEndpoint, .text = "jacinth.example.net does not resolve: unknown"}, jacinth()),
      "jacinth was not asked: jacinth.example.net does not resolve: unknown; is the endpoint in the "
      "configuration spelt right, and does this host's name server work?");
  EXPECT_EQ(up_failure({.verdict = Verdict::kNoEndpoint, .text = "it was never heard"}, roamer()),
            "jacinth was not asked: it was never heard; wait until it has connected, or give it an endpoint");
}

TEST(UpFailure, RefusedAndWhy) {
  EXPECT_EQ(up_failure({.verdict = Verdict::kRefused, .code = wire::ResultCode::kDenied, .text = "not on Sundays"},
                       jacinth()),
            "jacinth refused: DENIED, not on Sundays; ask its administrator to allow this host");
  EXPECT_EQ(up_failure({.verdict = Verdict::kRefused, .code = wire::ResultCode::kInternal}, jacinth()),
            "jacinth refused: INTERNAL; the log of its anubisd says more");
}

TEST(UpFailure, RefusedForTheSuitesSake) {
  EXPECT_EQ(up_failure({.verdict = Verdict::kRefused,
                        .code = wire::ResultCode::kSuite,
                        .text = "this host allows aes256gcm, jacinth allows xchacha20poly1305"},
                       jacinth()),
            "jacinth refused: SUITE, this host allows aes256gcm, jacinth allows xchacha20poly1305; see suites in "
            "anubis.toml of both hosts");
  EXPECT_EQ(exit_status(Verdict::kRefused), control::REFUSED);
}

TEST(UpFailure, EveryRefusalAdvises) {
  for (const auto code : {wire::ResultCode::kDenied, wire::ResultCode::kStale, wire::ResultCode::kConflict,
                          wire::ResultCode::kVersion, wire::ResultCode::kSuite, wire::ResultCode::kBusy,
                          wire::ResultCode::kBadRequest, wire::ResultCode::kInternal, wire::ResultCode::kNotUp}) {
    EXPECT_THAT(up_failure({.verdict = Verdict::kRefused, .code = code}, jacinth()), HasSubstr("; "))
        << wire::name_of(code);
  }
}

TEST(UpFailure, NoHandshakeOnProduction) {
  EXPECT_EQ(up_failure({.verdict = Verdict::kNoHandshake, .took = 10s}, jacinth()),
            "jacinth agreed, but is not up after 10 s: both ends have the peer, but no WireGuard handshake came "
            "through: is 4296/udp open at 192.0.2.1, and does no firewall on the way drop it?");
  EXPECT_THAT(up_failure({.verdict = Verdict::kNoHandshake, .took = 10s}, roamer()),
              HasSubstr("is its production port open, and"));
}

TEST(UpFailure, LocalOrOvertaken) {
  EXPECT_EQ(up_failure({.verdict = Verdict::kLocal, .text = "wg0: No such device"}, jacinth()),
            "jacinth could not be brought up here: wg0: No such device");
  EXPECT_EQ(up_failure({.verdict = Verdict::kSuperseded, .text = "the peer took it down"}, jacinth()),
            "jacinth was not brought up: the peer took it down");
}

TEST(DownFailure, SaysThatThisEndIsDownWhereItIs) {
  for (const Verdict verdict : {kNoAnswer, Verdict::kRefused}) {
    EXPECT_THAT(down_failure({.verdict = verdict, .took = 10s}, jacinth()), HasSubstr("jacinth is down here, but"));
  }
  for (const Verdict verdict : {Verdict::kLocal, Verdict::kSuperseded}) {
    EXPECT_THAT(down_failure({.verdict = verdict, .text = "why"}, jacinth()), Not(HasSubstr("is down here")));
  }
}

TEST(ExitStatus, IsThatOfTheManual) {
  EXPECT_EQ(exit_status(Verdict::kDone), 0);
  EXPECT_EQ(exit_status(Verdict::kLocal), 1);
  EXPECT_EQ(exit_status(Verdict::kSuperseded), 1);
  EXPECT_EQ(exit_status(Verdict::kRefused), 4);
  EXPECT_EQ(exit_status(Verdict::kNoAnswer), 5);
  EXPECT_EQ(exit_status(Verdict::kNoEndpoint), 5);
  EXPECT_EQ(exit_status(Verdict::kNoHandshake), 5);
}

model::Peer named(std::string name, std::uint8_t number) {
  model::Peer peer{.name = std::move(name)};
  peer.public_key.bytes[0] = number;
  peer.side_address = model::IpAddress::v4(std::array<std::uint8_t, 4>{10, 0, 0, number});
  return peer;
}

TEST(NoSuchPeer, NamesTheNearest) {
  model::InMemoryDirectory directory;
  directory.replace({named("jacinth", 1), named("beryl", 2)});
  EXPECT_EQ(no_such_peer("jacynth", directory),
            "no peer is called \"jacynth\"; did you mean jacinth?; `anubis peers` lists those that are authorised");
  EXPECT_THAT(no_such_peer("Jacinth", directory), HasSubstr("did you mean jacinth?"));
  EXPECT_EQ(no_such_peer("onyx", directory),
            "no peer is called \"onyx\"; `anubis peers` lists those that are authorised");
}

TEST(Reloaded, CountsWhatChanged) {
  model::InMemoryDirectory directory;
  directory.replace({named("jacinth", 1), named("beryl", 2), named("onyx", 3)});
  auto changes = directory.replace({named("jacinth", 1), named("opal", 2), named("agate", 4)});
  EXPECT_EQ(reloaded(directory.size(), changes), "3 peers: 1 added, 1 changed, 1 removed");
  changes = directory.replace({named("jacinth", 1)});
  EXPECT_EQ(reloaded(directory.size(), changes), "1 peer: 0 added, 0 changed, 2 removed");
}

// F52: a wall clock that was set back.
TEST(HandshakeAge, IsNeverNegative) {
  EXPECT_EQ(handshake_age({}), std::nullopt);
  const auto now = std::chrono::system_clock::now();
  EXPECT_EQ(handshake_age(now + 24h * 3650), base::Duration{0});
  EXPECT_GE(handshake_age(now - 5s), 5s);
}

TEST(Drifted, SaysWhatSomebodyDidAndThatItIsBack) {
  using netd::DriftKind;
  netd::InterfaceReport wg0{.name = "wg0"};
  const auto say = [&](DriftKind kind, const char* peer = "", std::uint32_t count = 0) {
    return drifted({.kind = kind, .interface = netd::Interface::kProduction, .peer = {}, .count = count}, wg0, peer);
  };
  EXPECT_EQ(say(DriftKind::kPeerRemoved, "jacinth"), "somebody removed jacinth from wg0: it is back");
  EXPECT_EQ(say(DriftKind::kRoutes, "jacinth"), "somebody removed routes of jacinth to wg0: they are back");
  EXPECT_EQ(say(DriftKind::kRoutes), "somebody removed routes to wg0: they are back");
  EXPECT_EQ(say(DriftKind::kUntold, "", 7), "somebody changed 7 more things of ours at once: they are as they were");
  EXPECT_EQ(say(DriftKind::kDeleted), "somebody deleted wg0: it was made anew");
  wg0.backend = netd::Backend::kUserspace;
  EXPECT_THAT(say(DriftKind::kDeleted), HasSubstr("or the program that serves it ended"));
  for (auto kind = DriftKind::kPeerRemoved; kind <= DriftKind::kUntold;
       kind = static_cast<DriftKind>(static_cast<int>(kind) + 1)) {
    EXPECT_EQ(say(kind, "jacinth").empty(), kind == DriftKind::kLost) << static_cast<int>(kind);
  }
}

}  // namespace
}  // namespace anubis::daemon

// The gatekeeper driven by hand, action by action: what the simulation's obedient hosts never do.
#include "lib/gate/gatekeeper.h"

#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/crypto/side_address.h"
#include "lib/wire/reply.h"
#include "lib/wire/request.h"

namespace anubis::gate {
namespace {

using namespace std::chrono_literals;
using base::Time;
using wire::ResultCode;

crypto::ProductionPrivateKey key_of(std::uint8_t fill) {
  base::Secret<crypto::kKeySize> secret;
  std::ranges::fill(secret.writable(), fill);
  return crypto::ProductionPrivateKey(std::move(secret));
}

model::Peer peer_named(std::string name, const crypto::ProductionPrivateKey& key) {
  model::Peer peer;
  peer.name = std::move(name);
  peer.public_key = key.public_key();
  peer.side_public_key = crypto::SidePublicKey(key.public_key());
  peer.side_address = model::IpAddress::v6(crypto::derive_side_address(peer.side_public_key));
  peer.endpoint = model::HostPort{"192.0.2.1", 4296};
  return peer;
}

// One gatekeeper (ours), and the peer's end of the wire in the hands of the test.
class GatekeeperTest : public ::testing::Test {
 protected:
  GatekeeperTest() {
    crypto::initialise();
    directory.replace({peer_named("xena", peer_key)});
    peer = *directory.find_by_name("xena");
    keys = std::make_unique<crypto::MessageKeys>(*crypto::derive_message_keys(
        crypto::Suite::kXChaCha20Poly1305, peer_key, peer_key.public_key(), own_key.public_key(), nullptr));
  }

  // All actions of one kind since the last call; the others are forgotten.
  template <class Kind>
  std::vector<Kind> take() {
    std::vector<Kind> found;
    for (Action& action : gate.take_actions()) {
      if (auto* one = std::get_if<Kind>(&action)) found.push_back(std::move(*one));
    }
    return found;
  }

  wire::Datagram sealed(std::span<const std::uint8_t> payload, wire::RequestId id = {1},
                        wire::MessageType type = wire::MessageType::kRequest) {
    return wire::seal_message({.type = type, .request_id = id, .sender = peer_key.public_key(), .nonce = {++nonces}},
                              keys->sending, payload, wire::kRequestSize);
  }
  wire::Datagram request(wire::Operation operation, std::optional<wire::Token> token,
                         std::vector<crypto::Suite> suites = {crypto::Suite::kXChaCha20Poly1305}) {
    return sealed(wire::create_request({.operation = operation, .token = token, .suites = std::move(suites)}), {++ids});
  }
  void deliver(const wire::Datagram& datagram) { gate.receive(datagram, directory.get(peer)->side_address, 4298, now); }
  wire::Reply opened(const SendDatagram& sent) {
    const auto header = wire::decode_header(sent.bytes);
    const auto payload = wire::open_message(*header, keys->receiving, sent.bytes);
    return *wire::consume_reply(*payload);
  }
  // The only reply among the actions since the last look.
  wire::Reply reply() {
    const auto sent = take<SendDatagram>();
    EXPECT_EQ(sent.size(), 1u);
    return opened(sent.at(0));
  }
  wire::Token current_token() {
    deliver(request(wire::Operation::kStatus, std::nullopt));
    return reply().token;
  }

  crypto::ProductionPrivateKey own_key = key_of(1);
  crypto::ProductionPrivateKey peer_key = key_of(2);
  model::InMemoryDirectory directory;
  base::SystemRandom random;
  LocalKeyAgreement agreement{own_key, directory};
  Gatekeeper gate{{}, directory, agreement, own_key.public_key(), random};
  PeerIndex peer{};
  std::unique_ptr<crypto::MessageKeys> keys;
  std::uint8_t ids = 0;
  std::uint8_t nonces = 0;
  Time now{100s};
};

TEST_F(GatekeeperTest, TheReplyWaitsForTheInstallation) {
  deliver(request(wire::Operation::kUp, current_token()));
  const auto actions = gate.take_actions();
  ASSERT_EQ(actions.size(), 1u);
  const auto& install = std::get<InstallPeer>(actions[0]);
  EXPECT_TRUE(install.with_routes);
  gate.installed(peer, install.ticket, Installed{wire::PeerPresence::kFound}, now);
  const auto answered = reply();
  EXPECT_EQ(answered.result, ResultCode::kOk);
  EXPECT_EQ(answered.presence, wire::PeerPresence::kFound);
  EXPECT_EQ(answered.state, SessionState::kUp);
}

// Both ends have an endpoint for the other. Initiations that cross cost a session of WireGuard 5 s.
TEST_F(GatekeeperTest, TheResponderStartsTheHandshakeOnlyWhenAsked) {
  deliver(request(wire::Operation::kUp, current_token()));
  auto install = take<InstallPeer>();
  EXPECT_FALSE(install.at(0).initiate_handshake);
  gate.installed(peer, install.at(0).ticket, Installed{}, now);

  deliver(sealed(wire::create_request({.operation = wire::Operation::kUp,
                                       .token = reply().token,
                                       .suites = {crypto::Suite::kXChaCha20Poly1305},
                                       .responder_initiates = true}),
                 {++ids}));
  install = take<InstallPeer>();
  EXPECT_TRUE(install.at(0).initiate_handshake);
}

// A roamer's initiation may follow within a millisecond, and would be repeated only after 5 s.
TEST_F(GatekeeperTest, ARoamerIsInstalledBeforeItIsAsked) {
  model::Peer roamer = peer_named("xena", peer_key);
  roamer.endpoint.reset();
  directory.replace({roamer});
  deliver(request(wire::Operation::kStatus, std::nullopt));
  gate.warm_up(peer, now);
  const auto asked = take<SendDatagram>();
  deliver(sealed(wire::create_reply({.token = {7}, .state = SessionState::kDown}),
                 wire::decode_header(asked.back().bytes)->request_id, wire::MessageType::kReply));
  gate.up(CommandId{1}, peer, {}, now);
  const auto resolve = take<ResolveEndpoint>();
  gate.resolved(peer, resolve.at(0).ticket, model::Endpoint{}, now);
  const auto actions = gate.take_actions();
  ASSERT_EQ(actions.size(), 3u);
  const auto& install = std::get<InstallPeer>(actions[0]);
  EXPECT_FALSE(install.initiate_handshake);
  EXPECT_EQ(install.endpoint, std::nullopt);
  EXPECT_TRUE(std::holds_alternative<SendDatagram>(actions[1]));
  EXPECT_TRUE(std::get<RememberSession>(actions[2]).facts.value().peer_may_be_up);
}

// Found by the soak: the roamer was told that it may not have the endpoint 192.0.2.1:0.
TEST_F(GatekeeperTest, ARoamerThatAsksWhileItIsAskedGetsNoEndpointWithoutAPort) {
  model::Peer roamer = *directory.get(peer);
  roamer.endpoint.reset();
  directory.replace({roamer});
  gate.up(CommandId{1}, peer, {}, now);
  gate.resolved(peer, take<ResolveEndpoint>().at(0).ticket, model::Endpoint{*model::IpAddress::parse("192.0.2.1"), 0},
                now);
  (void)gate.take_actions();
  deliver(request(wire::Operation::kUp, current_token()));
  const auto installs = take<InstallPeer>();
  ASSERT_EQ(installs.size(), 1u);
  EXPECT_EQ(installs[0].endpoint, std::nullopt);
}

TEST_F(GatekeeperTest, ARepetitionDuringTheInstallationIsNotAnsweredAndNotCarriedOutTwice) {
  const auto up = request(wire::Operation::kUp, current_token());
  deliver(up);
  const auto install = take<InstallPeer>();
  deliver(up);
  EXPECT_TRUE(gate.take_actions().empty());
  gate.installed(peer, install.at(0).ticket, Installed{}, now);
  EXPECT_EQ(take<SendDatagram>().size(), 1u);
}

// A nonce used twice under one key would give away both replies.
TEST_F(GatekeeperTest, NoTwoRepliesShareANonce) {
  std::vector<wire::Datagram> replies;
  const auto collect = [&] {
    for (SendDatagram& sent : take<SendDatagram>()) replies.push_back(std::move(sent.bytes));
  };
  deliver(request(wire::Operation::kStatus, current_token()));  // accepted, and answered at once
  collect();
  deliver(request(wire::Operation::kStatus, std::nullopt));  // refused
  collect();
  deliver(request(wire::Operation::kUp, opened({peer, 0, replies.back()}).token));  // accepted, and answered later
  const auto install = take<InstallPeer>();
  for (int i = 0; i < 2; ++i) {
    deliver(request(wire::Operation::kStatus, std::nullopt));  // refused meanwhile
    collect();
  }
  gate.installed(peer, install.at(0).ticket, Installed{}, now);
  collect();

  ASSERT_EQ(replies.size(), 5u);
  std::set<crypto::Nonce> nonces_seen;
  for (const wire::Datagram& sent : replies) nonces_seen.insert(wire::decode_header(sent)->nonce);
  EXPECT_EQ(nonces_seen.size(), replies.size());
}

TEST_F(GatekeeperTest, AnotherRequestDuringTheInstallationIsBusy) {
  deliver(request(wire::Operation::kUp, current_token()));
  const auto install = take<InstallPeer>();
  deliver(request(wire::Operation::kStatus, std::nullopt));
  const auto stale = reply();
  EXPECT_EQ(stale.result, ResultCode::kStale);
  deliver(request(wire::Operation::kDown, stale.token));
  EXPECT_EQ(reply().result, ResultCode::kBusy);
  EXPECT_EQ(gate.view(peer, now).state, SessionState::kDown);
}

TEST_F(GatekeeperTest, ALateAnswerToAnAbandonedActionIsIgnored) {
  deliver(request(wire::Operation::kUp, current_token()));
  const auto install = take<InstallPeer>();
  gate.resume(peer, std::nullopt, true, now);
  gate.down(CommandId{1}, peer, 10s, now);  // the user is quicker than the installation
  (void)gate.take_actions();
  gate.installed(peer, install.at(0).ticket, Installed{}, now);
  EXPECT_TRUE(gate.take_actions().empty());
  EXPECT_EQ(gate.view(peer, now).state, SessionState::kGoingDown);
}

TEST_F(GatekeeperTest, AnUpDuringOurDownIsBusy) {
  gate.resume(peer, std::nullopt, true, now);
  gate.down(CommandId{1}, peer, 10s, now);
  (void)gate.take_actions();
  deliver(request(wire::Operation::kUp, current_token()));
  EXPECT_EQ(reply().result, ResultCode::kBusy);
}

TEST_F(GatekeeperTest, DownIsDoneOnlyWhenBothEndsHaveRemovedThePeer) {
  gate.resume(peer, Remembered{.up = true, .since = now}, true, now);
  gate.down(CommandId{1}, peer, 10s, now);
  const auto actions = gate.take_actions();
  // Routes and peer go first, then the peer is told.
  std::vector<std::size_t> order;
  for (const auto& action : actions) {
    if (std::holds_alternative<RemovePeer>(action) || std::holds_alternative<SendDatagram>(action)) {
      order.push_back(action.index());
    }
  }
  ASSERT_EQ(order.size(), 2u);
  const auto& removal =
      *std::ranges::find_if(actions, [](auto& one) { return std::holds_alternative<RemovePeer>(one); });
  const auto& sent =
      *std::ranges::find_if(actions, [](auto& one) { return std::holds_alternative<SendDatagram>(one); });
  gate.removed(peer, std::get<RemovePeer>(removal).ticket, {}, now);
  EXPECT_TRUE(take<FinishCommand>().empty());
  const auto header = wire::decode_header(std::get<SendDatagram>(sent).bytes);
  deliver(sealed(wire::create_reply({.result = ResultCode::kOk}), header->request_id, wire::MessageType::kReply));
  EXPECT_EQ(take<FinishCommand>().size(), 1u);
}

TEST_F(GatekeeperTest, F21ARequestWhoseOfferLacksTheSuiteInUseIsRefused) {
  deliver(request(wire::Operation::kUp, current_token(), {}));
  EXPECT_EQ(reply().result, ResultCode::kSuite);
  EXPECT_TRUE(take<InstallPeer>().empty());
}

TEST_F(GatekeeperTest, F27AuthenticGarbageIsABadRequest) {
  const std::array<std::uint8_t, 4> garbage{0xff, 0xff, 0xff, 0xff};
  deliver(sealed(garbage));
  EXPECT_EQ(reply().result, ResultCode::kBadRequest);
}

TEST_F(GatekeeperTest, F28AnOperationOfALaterVersionIsTold) {
  const std::array<std::uint8_t, 2> operation_99{0x08, 99};
  deliver(sealed(operation_99));
  EXPECT_EQ(reply().result, ResultCode::kVersion);
}

TEST_F(GatekeeperTest, ATokenWorksOnce) {
  const auto token = current_token();
  deliver(request(wire::Operation::kStatus, token));
  const auto first = reply();
  EXPECT_EQ(first.result, ResultCode::kOk);
  EXPECT_NE(first.token, token);
  deliver(request(wire::Operation::kStatus, token));
  EXPECT_EQ(reply().result, ResultCode::kStale);
  deliver(request(wire::Operation::kStatus, first.token));
  EXPECT_EQ(reply().result, ResultCode::kOk);
}

TEST_F(GatekeeperTest, RenewOfASessionThatIsDownSaysSo) {
  deliver(request(wire::Operation::kRenew, current_token()));
  EXPECT_EQ(reply().result, ResultCode::kNotUp);
}

TEST_F(GatekeeperTest, ByeTakesTheSessionDown) {
  gate.resume(peer, Remembered{.up = true, .since = now}, true, now);
  deliver(request(wire::Operation::kBye, current_token()));
  const auto removal = take<RemovePeer>();
  ASSERT_EQ(removal.size(), 1u);
  gate.removed(peer, removal[0].ticket, {}, now);
  EXPECT_EQ(reply().result, ResultCode::kOk);
  EXPECT_EQ(gate.view(peer, now).state, SessionState::kDown);
}

TEST_F(GatekeeperTest, ARemovalThatFailsHereIsTold) {
  gate.resume(peer, std::nullopt, true, now);
  gate.down(CommandId{1}, peer, 10s, now);
  const auto removal = take<RemovePeer>();
  gate.removed(peer, removal.at(0).ticket, base::fail(base::ErrorCode::kIo, "the device is gone"), now);
  const auto finished = take<FinishCommand>();
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].outcome.verdict, Verdict::kLocal);
  EXPECT_EQ(finished[0].outcome.text, "the device is gone");
  EXPECT_EQ(gate.view(peer, now).state, SessionState::kFailed);
}

// Found by the model of the exchange (tests/model, P1).
TEST_F(GatekeeperTest, AnUpThatWasBusyDuringOurDownIsStaleWhenTheDownFails) {
  gate.resume(peer, std::nullopt, true, now);
  gate.down(CommandId{1}, peer, 10s, now);
  const auto removal = take<RemovePeer>();
  const auto up = request(wire::Operation::kUp, current_token());
  deliver(up);
  ASSERT_EQ(reply().result, ResultCode::kBusy);
  gate.removed(peer, removal.at(0).ticket, base::fail(base::ErrorCode::kIo, "the device is gone"), now);
  (void)gate.take_actions();
  deliver(up);
  EXPECT_EQ(reply().result, ResultCode::kStale);
}

TEST_F(GatekeeperTest, AResolverThatNeverAnswersIsATimeout) {
  gate.up(CommandId{1}, peer, {.timeout = 3s}, now);
  (void)gate.take_actions();
  gate.advance(now + 3s);
  const auto finished = take<FinishCommand>();
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].outcome.verdict, Verdict::kNoEndpoint);
}

TEST_F(GatekeeperTest, SessionsThatAreUpAreInstalledAgainOnANewInterface) {
  gate.resume(peer, std::nullopt, true, now);
  (void)gate.take_actions();
  gate.reinstall_all(now);
  EXPECT_EQ(take<InstallPeer>().size(), 1u);
}

TEST_F(GatekeeperTest, AChangedPeerThatIsUpIsBroughtIntoLine) {
  gate.resume(peer, std::nullopt, true, now);
  (void)gate.take_actions();
  gate.peer_changed(peer, now);
  const auto installs = take<InstallPeer>();
  ASSERT_EQ(installs.size(), 1u);
  EXPECT_EQ(installs[0].installation, Installation::kKeep);
}

TEST_F(GatekeeperTest, F41AnAdoptedSessionKeepsItsRoleItsAgeAndTheEndOfItsLease) {
  gate.resume(peer, Remembered{.up = true, .since = now - 50s, .lease_end = now + 7s, .wish = Wish{.fulfilled = true}},
              true, now);
  const auto view = gate.view(peer, now);
  EXPECT_TRUE(view.initiator);
  EXPECT_EQ(view.since, now - 50s);
  EXPECT_EQ(view.lease_left, 7s);
  EXPECT_LT(gate.next_timer(), now + 5s) << "it is renewed in time";
}

TEST_F(GatekeeperTest, F41ALeaseThatRanOutBeforeTheAdoptionEndsAtOnce) {
  gate.resume(peer, Remembered{.up = true, .since = now - 50s, .lease_end = now - 1s}, true, now);
  gate.advance(now);
  EXPECT_EQ(take<RemovePeer>().size(), 1u);
  EXPECT_EQ(gate.view(peer, now).reason, "the lease ran out");
}

TEST_F(GatekeeperTest, WhatIsUpIsToBeRememberedWhenItChangesAndForgottenAtItsEnd) {
  deliver(request(wire::Operation::kUp, current_token()));
  gate.installed(peer, take<InstallPeer>().at(0).ticket, Installed{}, now);
  auto token = wire::Token{};
  std::vector<std::optional<Remembered>> told;
  const auto look = [&] {
    for (const Action& action : gate.take_actions()) {
      if (const auto* sent = std::get_if<SendDatagram>(&action)) token = opened(*sent).token;
      if (const auto* each = std::get_if<RememberSession>(&action)) told.push_back(each->facts);
    }
  };
  look();
  const Time up_since = now;
  now += 5s;
  deliver(request(wire::Operation::kStatus, token));  // changes nothing
  look();
  deliver(sealed(wire::create_request({.operation = wire::Operation::kRenew,
                                       .token = token,
                                       .suites = {crypto::Suite::kXChaCha20Poly1305},
                                       .lease = 60s}),
                 {++ids}));
  look();
  gate.advance(now + 60s);
  look();
  using testing::ElementsAre;
  EXPECT_THAT(told, ElementsAre(Remembered{.up = true, .since = up_since},
                                Remembered{.up = true, .since = up_since, .lease_end = now + 60s}, std::nullopt));
}

TEST_F(GatekeeperTest, APeerThatIsRemovedIsForgotten) {
  gate.resume(peer, std::nullopt, true, now);
  (void)gate.take_actions();
  gate.peer_removed(peer, now);
  const auto told = take<RememberSession>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_FALSE(told[0].facts);
}

TEST(SessionState, HasTheNamesThatScriptsRelyOn) {
  EXPECT_STREQ(name_of(SessionState::kDown), "down");
  EXPECT_STREQ(name_of(SessionState::kGoingUp), "going-up");
  EXPECT_STREQ(name_of(SessionState::kUp), "up");
  EXPECT_STREQ(name_of(SessionState::kGoingDown), "going-down");
  EXPECT_STREQ(name_of(SessionState::kFailed), "failed");
}

}  // namespace
}  // namespace anubis::gate

// Peers on which no Anubis runs: nobody is asked, what is done here is all.
#include <chrono>

#include <gtest/gtest.h>

#include "tests/unit/gate/peers_end.h"

namespace anubis::gate {
namespace {

using namespace std::chrono_literals;

class PlainPeerTest : public PeersEndTest {
 protected:
  void start_plain(bool with_endpoint, std::optional<base::Duration> lease = {}) {
    start({});
    std::vector<model::Peer> peers;
    directory.for_each([&](PeerIndex, const model::Peer& each) { peers.push_back(each); });
    peers[0].is_plain = true;
    peers[0].side_public_key = crypto::SidePublicKey(peers[0].public_key);
    peers[0].lease = lease;
    if (!with_endpoint) peers[0].endpoint.reset();
    directory.replace(std::move(peers));
    peer = index_of(0);
  }
  // Answers every action until nothing is left; counts what was sent to the peer.
  std::vector<Outcome> settle() {
    std::vector<Outcome> outcomes;
    for (auto actions = gate->take_actions(); !actions.empty(); actions = gate->take_actions()) {
      for (Action& action : actions) {
        if (const auto* resolve = std::get_if<ResolveEndpoint>(&action)) {
          gate->resolved(peer, resolve->ticket, model::Endpoint{*model::IpAddress::parse("192.0.2.1"), 4296}, now);
        } else if (const auto* install = std::get_if<InstallPeer>(&action)) {
          installs.push_back(*install);
          gate->installed(peer, install->ticket,
                          Installed{stands ? wire::PeerPresence::kFound : wire::PeerPresence::kCreated}, now);
          stands = true;
        } else if (const auto* remove = std::get_if<RemovePeer>(&action)) {
          stands = false;
          gate->removed(peer, remove->ticket, {}, now);
        } else if (const auto* watch = std::get_if<WatchHandshake>(&action)) {
          watched = watch->ticket;
        } else if (const auto* finish = std::get_if<FinishCommand>(&action)) {
          outcomes.push_back(finish->outcome);
        } else if (const auto* remember = std::get_if<RememberSession>(&action)) {
          remembered = remember->facts;
        } else if (std::holds_alternative<SendDatagram>(action)) {
          ++datagrams;
        }
      }
    }
    return outcomes;
  }
  std::vector<Outcome> wait(base::Duration time) {
    std::vector<Outcome> outcomes;
    for (const auto end = now + time; now < end; now += 1s) {
      gate->advance(now);
      for (auto& each : settle()) outcomes.push_back(std::move(each));
    }
    return outcomes;
  }
  SessionState state() { return gate->view(peer, now).state; }

  PeerIndex peer{};
  bool stands = false;
  std::vector<InstallPeer> installs;
  std::optional<Ticket> watched;
  std::optional<Remembered> remembered;
  unsigned datagrams = 0;
};

TEST_F(PlainPeerTest, ARoamerIsUpAtOnceAndDownAtOnceAndNeverAsked) {
  start_plain(false);
  gate->up(CommandId{1}, peer, {}, now);
  auto outcomes = settle();
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].verdict, Verdict::kDone);
  EXPECT_EQ(state(), SessionState::kUp);
  ASSERT_EQ(installs.size(), 1u);
  EXPECT_TRUE(installs[0].with_routes);
  EXPECT_FALSE(installs[0].initiate_handshake);

  // Nobody answers for an hour, and nobody is asked: not for a renewal, not whether it is there.
  EXPECT_TRUE(wait(1h).empty());
  gate->observe(peer, {.rx_bytes = 0, .tx_bytes = 0}, now);
  gate->network_changed(now);
  EXPECT_TRUE(wait(1min).empty());
  EXPECT_EQ(state(), SessionState::kUp);

  gate->down(CommandId{2}, peer, 10s, now);
  outcomes = settle();
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].verdict, Verdict::kDone);
  EXPECT_EQ(state(), SessionState::kDown);
  EXPECT_FALSE(stands);
  EXPECT_TRUE(wait(1h).empty());
  EXPECT_EQ(datagrams, 0u);
  EXPECT_EQ(remembered, std::nullopt);
}

TEST_F(PlainPeerTest, UpOfWhatIsUpFindsItSo) {
  start_plain(false);
  gate->up(CommandId{1}, peer, {}, now);
  (void)settle();
  gate->up(CommandId{2}, peer, {}, now);
  const auto outcomes = settle();
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_TRUE(outcomes[0].was_so_already);
  EXPECT_EQ(installs.back().installation, Installation::kKeep);
}

TEST_F(PlainPeerTest, WithAnEndpointItMustShakeHandsAndIsNotMadeAnewMeanwhile) {
  start_plain(true);
  gate->up(CommandId{1}, peer, {}, now);
  EXPECT_TRUE(settle().empty());
  EXPECT_EQ(state(), SessionState::kGoingUp);
  EXPECT_TRUE(wait(3s).empty());
  ASSERT_EQ(installs.size(), 1u);
  EXPECT_TRUE(installs[0].initiate_handshake);
  EXPECT_EQ(installs[0].installation, Installation::kRecreate);
  ASSERT_TRUE(watched);
  gate->handshake_seen(peer, *watched, now);
  const auto outcomes = settle();
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].verdict, Verdict::kDone);
  EXPECT_EQ(state(), SessionState::kUp);
  EXPECT_EQ(datagrams, 0u);
}

TEST_F(PlainPeerTest, WithAnEndpointThatDoesNotAnswerUpFailsAndLeavesNothing) {
  start_plain(true);
  gate->up(CommandId{1}, peer, {.timeout = 10s}, now);
  const auto outcomes = wait(11s);
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].verdict, Verdict::kNoHandshake);
  EXPECT_EQ(state(), SessionState::kFailed);
  (void)settle();
  EXPECT_FALSE(stands);
  EXPECT_EQ(datagrams, 0u);
}

// Nobody is there to renew it.
TEST_F(PlainPeerTest, ALeaseEndsIt) {
  start_plain(false, 1h);
  gate->up(CommandId{1}, peer, {}, now);
  (void)settle();
  (void)wait(59min);
  EXPECT_EQ(state(), SessionState::kUp);
  (void)wait(2min);
  EXPECT_EQ(state(), SessionState::kDown);
  EXPECT_FALSE(stands);
  (void)wait(1h);
  EXPECT_EQ(state(), SessionState::kDown);

  gate->up(CommandId{2}, peer, {.lease = 30min}, now);
  (void)settle();
  (void)wait(31min);
  EXPECT_EQ(state(), SessionState::kDown);
}

TEST_F(PlainPeerTest, WhatStoodThereBeforeUsStaysUpAndIsWishedAfterARebootToo) {
  start_plain(false);
  stands = true;
  gate->resume(peer, std::nullopt, true, now);
  gate->keep(peer, now);
  (void)settle();
  (void)wait(1h);
  EXPECT_EQ(state(), SessionState::kUp);
  EXPECT_TRUE(installs.empty());  // untouched
  EXPECT_EQ(datagrams, 0u);
  ASSERT_TRUE(remembered && remembered->wish);
  EXPECT_EQ(remembered->wish->insistence, Insistence::kPersistent);

  const auto before = remembered;
  start_plain(false);
  stands = false;
  gate->resume(peer, before, false, now);
  (void)wait(1min);
  EXPECT_EQ(state(), SessionState::kUp);
  EXPECT_TRUE(stands);
}

// Its own page may ask for it, as any peer may.
TEST_F(PlainPeerTest, ARequestOfItsOwnIsCarriedOut) {
  start_plain(false);
  const auto token = answer_to({.operation = wire::Operation::kStatus, .suites = {kXChaCha}}).token;
  deliver(request({.operation = wire::Operation::kUp, .token = token, .suites = {kXChaCha}, .lease = 60s}));
  (void)settle();
  EXPECT_EQ(state(), SessionState::kUp);
  (void)wait(61s);
  EXPECT_EQ(state(), SessionState::kDown);
  EXPECT_FALSE(stands);
}

}  // namespace
}  // namespace anubis::gate

// Wishes: what is brought up stays up, or comes back, until somebody no longer wants it.
#include <gtest/gtest.h>

#include "tests/sim/world.h"

namespace anubis::sim {
namespace {

using namespace std::chrono_literals;
using gate::Insistence;
using gate::SessionState;
using gate::Verdict;

class Wishes : public ::testing::Test {
 protected:
  Wishes() {
    for (Host* host : {&jacinth, &surya}) host->identity.group = "gateways";
    world.introduce_all();
  }

  void bring_up(const gate::UpRequest& request = {}) {
    ASSERT_EQ(world.finish(xena, xena.up(jacinth, request)).verdict, Verdict::kDone);
    ASSERT_TRUE(are_up(xena, jacinth));
  }
  static bool are_up(const Host& one, const Host& other) { return one.has(other) && other.has(one); }
  static bool are_down(const Host& one, const Host& other) {
    return !one.interface.contains(one.index_of(other)) && !other.interface.contains(other.index_of(one));
  }
  // Nothing arrives for so long.
  void cut_for(Duration duration) {
    world.noise.loss = 1;
    world.run_for(duration);
    world.noise.loss = 0;
  }
  // The host is switched off in the middle of everything; its interface goes with it, or not.
  void crash(Host& host, bool loses_interface) {
    if (loses_interface) host.interface.clear();
    host.restart();
  }
  // For 40 s, and nothing comes back.
  void speak_in_vain(Host& host, const Host& peer) {
    gate::Observation seen{.handshake = 1, .rx_bytes = 1000, .tx_bytes = 1000};
    for (int i = 0; i < 4; ++i) {
      host.run([&](gate::Gatekeeper& gate) { gate.observe(host.index_of(peer), seen, world.now); });
      seen.tx_bytes += 1400;
      world.run_for(10s);
    }
  }

  World world{7};
  Host& xena = world.add_host("xena");
  Host& jacinth = world.add_host("jacinth");
  Host& surya = world.add_host("surya");
};

TEST_F(Wishes, ALeaseIsRenewedForAsLongAsTheSessionIsWanted) {
  bring_up({.lease = 60s});
  const auto before = world.sent.size();
  world.run_for(1h);
  EXPECT_TRUE(are_up(xena, jacinth));
  EXPECT_LT(world.sent.size() - before, 2u * 60 * 3) << "once a half-life";
  EXPECT_GT(xena.view(jacinth).lease_left.value(), 20s);
}

TEST_F(Wishes, ALeaseThatCannotBeRenewedEndsTheSessionAtBothEndsAndTheWishBringsItBack) {
  bring_up({.lease = 60s});
  cut_for(61s);
  EXPECT_TRUE(are_down(xena, jacinth));
  EXPECT_EQ(jacinth.view(xena).reason, "the lease ran out");
  EXPECT_EQ(xena.view(jacinth).reason, "the lease ran out, and the peer did not renew it");
  world.run_for(3min);
  EXPECT_TRUE(are_up(xena, jacinth));
}

// A laptop that sleeps: its time goes on, and all timers come at once.
TEST_F(Wishes, AfterEightHoursOfSleepTheSessionComesBack) {
  bring_up({.lease = 1h});
  cut_for(8h);
  EXPECT_FALSE(jacinth.has(xena));
  xena.run([this](gate::Gatekeeper& gate) { gate.network_changed(world.now); });
  world.run_for(15s);
  EXPECT_TRUE(are_up(xena, jacinth));
}

// Its side tunnel is heard at its new place, and who wants to bring it up finds it there.
TEST_F(Wishes, AHostThatMovedIsHeardEvenByThoseWithWhomNothingIsUp) {
  for (auto& peer : xena.authorised) peer.side_endpoint = model::HostPort{"192.0.2.9", 4297};
  xena.directory.replace(xena.authorised);
  bring_up();
  ASSERT_EQ(world.finish(xena, xena.down(jacinth)).verdict, Verdict::kDone);
  const auto before = world.sent.size();
  xena.run([this](gate::Gatekeeper& gate) { gate.network_changed(world.now); });
  world.run_for(1s);
  EXPECT_EQ(world.sent.size() - before, 2u) << "a question and its answer";
}

TEST_F(Wishes, WhatIsWantedForSoLongEndsThenAtBothEnds) {
  bring_up({.lease = 20s, .wanted_for = 90s});
  world.run_for(88s);
  EXPECT_TRUE(are_up(xena, jacinth));
  world.run_for(3s);
  EXPECT_TRUE(are_down(xena, jacinth));
  EXPECT_EQ(xena.view(jacinth).reason, "the time that it was wanted for is over");
  world.run_for(10min);
  EXPECT_TRUE(are_down(xena, jacinth));
}

TEST_F(Wishes, WhatIsWantedForSoLongNeedsNoLongerLease) {
  bring_up({.wanted_for = 90s});
  EXPECT_LE(jacinth.view(xena).lease_left.value(), 90s);
  world.noise.loss = 1;
  world.run_for(91s);
  EXPECT_TRUE(are_down(xena, jacinth)) << "even if the other end is not heard any more";
}

TEST_F(Wishes, ByeTakesTheSessionDownAtOnceAndTheWishBringsItBack) {
  bring_up();
  const auto command = jacinth.bye(xena);
  EXPECT_EQ(world.finish(jacinth, command).verdict, Verdict::kDone);
  EXPECT_TRUE(are_down(xena, jacinth));
  EXPECT_EQ(xena.view(jacinth).reason, "the peer has left");
  EXPECT_TRUE(xena.view(jacinth).retry_in);
  world.run_for(4s);
  EXPECT_TRUE(are_up(xena, jacinth));
}

TEST_F(Wishes, ByeForGoodIsNotComeBackFrom) {
  bring_up({.insistence = Insistence::kPersistent});
  EXPECT_EQ(world.finish(jacinth, jacinth.bye(xena, {.for_good = true})).verdict, Verdict::kDone);
  world.run_for(1h);
  EXPECT_TRUE(are_down(xena, jacinth));
}

TEST_F(Wishes, DownFromTheOtherEndEndsTheWish) {
  bring_up({.insistence = Insistence::kPersistent});
  EXPECT_EQ(world.finish(jacinth, jacinth.down(xena)).verdict, Verdict::kDone);
  world.run_for(1h);
  EXPECT_TRUE(are_down(xena, jacinth));
  EXPECT_TRUE(xena.remembered.empty());
}

TEST_F(Wishes, DownEndsAWishThatWaits) {
  bring_up();
  world.finish(jacinth, jacinth.bye(xena));
  const auto outcome = world.finish(xena, xena.down(jacinth));
  EXPECT_EQ(outcome.verdict, Verdict::kDone);
  EXPECT_FALSE(outcome.was_so_already);
  world.run_for(1h);
  EXPECT_TRUE(are_down(xena, jacinth));
}

TEST_F(Wishes, ByeMayNameAnotherServerOfTheGroupToGoTo) {
  bring_up({.lease = 60s});
  const gate::Farewell farewell{.successor = surya.identity.public_key};
  EXPECT_EQ(world.finish(jacinth, jacinth.bye(xena, farewell)).verdict, Verdict::kDone);
  EXPECT_EQ(xena.view(jacinth).reason, "the peer sent us to surya");
  world.run_for(1s);
  EXPECT_TRUE(are_up(xena, surya));
  EXPECT_LE(surya.view(xena).lease_left.value(), 60s) << "the wish goes along";
  world.run_for(1h);
  EXPECT_TRUE(are_up(xena, surya));
  EXPECT_TRUE(are_down(xena, jacinth));
}

TEST_F(Wishes, ASuccessorThatIsNotOfTheGroupIsNotFollowed) {
  for (auto& peer : xena.authorised) {
    if (peer.name == "surya") peer.group.clear();
  }
  xena.directory.replace(xena.authorised);
  bring_up();
  world.finish(jacinth, jacinth.bye(xena, {.successor = surya.identity.public_key}));
  world.run_for(5s);
  EXPECT_TRUE(are_down(xena, surya));
  EXPECT_TRUE(are_up(xena, jacinth));
}

TEST_F(Wishes, APlainUpThatFailsIsOver) {
  world.noise.loss = 1;
  const auto outcome = world.finish(xena, xena.up(jacinth));
  EXPECT_EQ(outcome.verdict, Verdict::kNoAnswer);
  EXPECT_FALSE(outcome.is_tried_again);
  world.noise.loss = 0;
  world.run_for(1h);
  EXPECT_TRUE(are_down(xena, jacinth));
  EXPECT_TRUE(xena.remembered.empty());
}

TEST_F(Wishes, AnInsistentUpThatFailsIsTriedUntilItWorks) {
  world.noise.loss = 1;
  const auto outcome = world.finish(xena, xena.up(jacinth, {.insistence = Insistence::kAlways}));
  EXPECT_EQ(outcome.verdict, Verdict::kNoAnswer);
  EXPECT_TRUE(outcome.is_tried_again);
  world.run_for(1h);
  const auto before = world.sent.size();
  world.run_for(1h);
  EXPECT_LT(world.sent.size() - before, 1000u) << "rarely, when nobody answers";
  world.noise.loss = 0;
  world.run_for(90s);
  EXPECT_TRUE(are_up(xena, jacinth));
}

TEST_F(Wishes, OfTheOneWhoLeavesOnlyPersistentOnesOutliveIt) {
  bring_up();
  ASSERT_EQ(world.finish(xena, xena.up(surya, {.insistence = Insistence::kPersistent})).verdict, Verdict::kDone);
  xena.run([this](gate::Gatekeeper& gate) { gate.leave(world.now); });
  for (Host* server : {&jacinth, &surya}) EXPECT_EQ(world.finish(xena, xena.bye(*server)).verdict, Verdict::kDone);
  EXPECT_TRUE(are_down(xena, jacinth));
  EXPECT_TRUE(are_down(xena, surya));
  world.run_for(1min);
  EXPECT_TRUE(are_down(xena, surya)) << "while it leaves nothing is brought up";
  EXPECT_EQ(world.finish(jacinth, jacinth.up(xena, {.timeout = 3s})).verdict, Verdict::kNoAnswer) << "nobody is let in";
  xena.restart();
  world.run_for(5s);
  EXPECT_TRUE(are_up(xena, surya));
  EXPECT_TRUE(are_down(xena, jacinth));
}

// --- whoever is killed -----------------------------------------------------------------------------------------------

TEST_F(Wishes, KilledAfterItsRequestWasSentItTakesBackWhatNobodyWaitsForAnyMore) {
  xena.up(jacinth);
  world.run_for(35ms);
  ASSERT_TRUE(jacinth.has(xena));
  crash(xena, false);
  world.run_for(5s);
  EXPECT_TRUE(are_down(xena, jacinth));
}

TEST_F(Wishes, KilledAfterItsRequestWasSentItGoesOnWithAnInsistentWish) {
  xena.up(jacinth, {.insistence = Insistence::kAlways});
  world.run_for(35ms);
  crash(xena, false);
  world.run_for(5s);
  EXPECT_TRUE(are_up(xena, jacinth));
}

TEST_F(Wishes, KilledInTheMiddleOfADownItFinishesTheDown) {
  bring_up();
  world.noise.loss = 1;
  xena.down(jacinth);
  world.run_for(1s);
  crash(xena, false);
  world.noise.loss = 0;
  world.run_for(5s);
  EXPECT_TRUE(are_down(xena, jacinth));
}

TEST_F(Wishes, AResponderThatLostItsInterfaceWhileItWasAwayIsBroughtUpAgain) {
  bring_up();
  crash(jacinth, true);
  EXPECT_FALSE(jacinth.has(xena));
  world.run_for(5s);
  EXPECT_TRUE(are_up(xena, jacinth));
}

TEST_F(Wishes, AnInitiatorThatLostItsInterfaceWhileItWasAwayComesBack) {
  bring_up();
  crash(xena, true);
  world.run_for(5s);
  EXPECT_TRUE(are_up(xena, jacinth));
}

// As a machine that was switched off: not even its memory is left.
TEST_F(Wishes, AResponderThatForgotEverythingIsAskedAgainByTheNextRenewal) {
  bring_up();
  jacinth.remembered.clear();
  crash(jacinth, true);
  world.run_for(13min);
  EXPECT_TRUE(are_up(xena, jacinth));
}

TEST_F(Wishes, AResponderThatForgotEverythingIsNoticedAtOnceWhenSomebodySpeaks) {
  bring_up();
  jacinth.remembered.clear();
  crash(jacinth, true);
  speak_in_vain(xena, jacinth);
  EXPECT_TRUE(are_up(xena, jacinth));
}

TEST_F(Wishes, AResponderLetsGoOfAnInitiatorThatForgotItsSession) {
  bring_up();
  xena.remembered.clear();
  crash(xena, true);
  speak_in_vain(jacinth, xena);
  EXPECT_TRUE(are_down(xena, jacinth));
  EXPECT_EQ(jacinth.view(xena).reason, "the peer no longer has the session");
}

TEST_F(Wishes, AResponderMayEndSessionsThatAreIdle) {
  for (auto& peer : jacinth.authorised) peer.idle_timeout = 5min;
  jacinth.directory.replace(jacinth.authorised);
  bring_up({.insistence = Insistence::kPersistent});
  gate::Observation seen{.handshake = 1, .rx_bytes = 1000, .tx_bytes = 1000};
  for (int i = 0; i < 40; ++i) {
    jacinth.run([&](gate::Gatekeeper& gate) { gate.observe(jacinth.index_of(xena), seen, world.now); });
    world.run_for(10s);
    seen.rx_bytes += 32;  // keepalives are no traffic
  }
  EXPECT_TRUE(are_down(xena, jacinth));
  EXPECT_EQ(jacinth.view(xena).reason, "idle for 5 min");
}

// F56: recorded today, played tomorrow.
TEST_F(Wishes, AByeOfAnOlderSessionIsIgnored) {
  bring_up();
  std::vector<Sent> byes;
  world.on_send = [&](const Sent& sent) {
    if (sent.from == &jacinth) byes.push_back(sent);
  };
  world.finish(jacinth, jacinth.bye(xena));
  world.run_for(1min);
  world.on_send = nullptr;
  ASSERT_TRUE(are_up(xena, jacinth));
  ASSERT_FALSE(byes.empty());
  for (const Sent& sent : byes) world.inject(jacinth, xena, sent.bytes);
  EXPECT_TRUE(are_up(xena, jacinth));
  world.run_for(1min);
  EXPECT_TRUE(are_up(xena, jacinth));
}

TEST_F(Wishes, AnInterfaceThatCannotBeHadBackIsToldToThePeers) {
  bring_up();
  jacinth.install_error = base::Error{base::ErrorCode::kNotFound, "wg0 is not there"};
  jacinth.interface.clear();
  jacinth.run([this](gate::Gatekeeper& gate) { gate.interface_lost(world.now); });
  world.run_for(100ms);
  EXPECT_TRUE(are_down(xena, jacinth));
  world.run_for(30s);
  EXPECT_TRUE(are_down(xena, jacinth));
  jacinth.install_error.reset();
  world.run_for(90s);
  EXPECT_TRUE(are_up(xena, jacinth)) << "the wish is xena's";
}

// Found by the soak, where a wireguard-go had been killed: both said up, and nothing passed.
TEST_F(Wishes, ARenewalThatCouldNotBeInstalledHereIsMadeAgain) {
  bring_up();
  jacinth.install_error = base::Error{base::ErrorCode::kIo, "connection reset by peer"};
  EXPECT_EQ(world.finish(jacinth, jacinth.up(xena)).verdict, Verdict::kLocal);
  ASSERT_FALSE(xena.shares_key_with(jacinth));
  world.run_for(10s);
  jacinth.install_error.reset();
  world.run_for(5s);
  EXPECT_TRUE(are_up(xena, jacinth));
  EXPECT_TRUE(xena.shares_key_with(jacinth));
}

// 300 plays of wishes, byes, crashes and lost datagrams: when it is calm again, wishes are true and both ends agree.
TEST_F(Wishes, ComeTrueInTheEndWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World storm{seed};
    Host& laptop = storm.add_host("laptop");
    Host& server = storm.add_host("server");
    storm.introduce_all();
    storm.noise = {.loss = 0.4, .duplicate = 0.3, .most_delay = 3s};
    bool wanted = false;
    for (int step = 0; step < 12; ++step) {
      switch (storm.random.below(6)) {
        case 0:
          laptop.up(server, {.lease = 30s + std::chrono::seconds(storm.random.below(300)),
                             .timeout = 2s,
                             .insistence = Insistence::kPersistent});
          wanted = true;
          break;
        case 1:
          laptop.down(server, 2s);
          wanted = false;
          break;
        case 2:
          server.bye(laptop);
          break;
        case 3:
          crash(laptop, storm.random.below(2) == 0);
          break;
        case 4:
          crash(server, storm.random.below(2) == 0);
          break;
        case 5:
          laptop.run([&](gate::Gatekeeper& gate) { gate.network_changed(storm.now); });
          break;
      }
      storm.run_for(std::chrono::milliseconds(storm.random.below(20'000)));
    }
    storm.noise = {};
    storm.run_for(20min);
    EXPECT_EQ(laptop.has(server), wanted);
    EXPECT_EQ(server.has(laptop), wanted);
    EXPECT_EQ(laptop.view(server).state, wanted ? SessionState::kUp : SessionState::kDown);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace anubis::sim

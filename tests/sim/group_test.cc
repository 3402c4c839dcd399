// Servers of a group, and a client that uses one of them at a time.
#include <gtest/gtest.h>

#include "tests/sim/world.h"

namespace anubis::sim {
namespace {

using namespace std::chrono_literals;
using gate::SessionState;
using gate::Verdict;

class Group : public ::testing::Test {
 protected:
  explicit Group(std::uint64_t seed = 11) : world(seed) {
    for (Host* server : {&jacinth, &surya, &selen}) {
      server->identity.group = "gateways";
      server->identity.fails_over = true;
      server->identity.allowed_ips = {*model::IpPrefix::parse("10.44.0.0/24")};
      server->settings.group = "gateways";
    }
    world.introduce_all();
    for (auto& host : world.hosts) host->restart();
    world.run_for(5s);
  }

  void bring_up() {
    ASSERT_EQ(world.finish(jacinth, jacinth.up(surya)).verdict, Verdict::kDone);
    ASSERT_EQ(world.finish(xena, xena.up(jacinth)).verdict, Verdict::kDone);
    world.run_for(1s);
  }
  gate::Outcome change_to(Host& server, Duration timeout = 10s) {
    return world.finish(xena, xena.up(server, {.timeout = timeout, .instead_of_group = true}));
  }
  // Time passes as the daemon sees it: WireGuard's counters are looked at each second, and xena speaks to whom it uses.
  // What is cut is never heard again, neither on the production tunnel nor, by the noise, on the side one.
  void talk_for(Duration duration) {
    for (const Time until = world.now + duration; world.now < until;) {
      world.run_for(1s);
      for (Host* server : {&jacinth, &surya, &selen}) {
        const PeerIndex peer = xena.index_of(*server);
        if (!xena.interface.contains(peer)) {
          counters.erase(server);
          continue;
        }
        gate::Observation& seen = counters[server];
        const bool is_spoken_to = xena.server_in_use() == server;
        if (is_spoken_to) seen.tx_bytes += 1400;
        if (is_spoken_to && cut != server) seen.rx_bytes += 1400;
        seen.handshake = 1;
        xena.run([&](gate::Gatekeeper& gate) { gate.observe(peer, seen, world.now); });
      }
    }
  }
  void cut_off(Host& server) {
    cut = &server;
    world.is_cut = [this](const Host& from, const Host& to) { return &from == cut || &to == cut; };
  }
  void mend() {
    cut = nullptr;
    world.is_cut = nullptr;
  }
  static bool is_with(const Host& client, const Host& server) {
    return client.has(server) && server.way_to(client) == &client && client.server_in_use() == &server;
  }

  World world;
  Host& xena = world.add_host("xena");
  Host& jacinth = world.add_host("jacinth");
  Host& surya = world.add_host("surya");
  Host& selen = world.add_host("selen");
  Host* cut = nullptr;
  std::map<Host*, gate::Observation> counters;
};

TEST_F(Group, ServersTellOneAnotherWhomTheyHave) {
  bring_up();
  EXPECT_EQ(surya.way_to(xena), &jacinth);
  EXPECT_EQ(surya.view(xena).server, surya.index_of(jacinth));
  EXPECT_EQ(jacinth.view(xena).server, std::nullopt);
  ASSERT_EQ(world.finish(xena, xena.down(jacinth)).verdict, Verdict::kDone);
  world.run_for(1s);
  EXPECT_EQ(surya.view(xena).server, std::nullopt);
  EXPECT_EQ(surya.way_to(xena), nullptr);
}

TEST_F(Group, WhatIsForAClientFollowsItWhenItSwitches) {
  bring_up();
  EXPECT_EQ(change_to(surya).verdict, Verdict::kDone);
  world.run_for(2s);
  EXPECT_TRUE(is_with(xena, surya));
  EXPECT_EQ(jacinth.way_to(xena), &surya);
  EXPECT_FALSE(xena.interface.contains(xena.index_of(jacinth)));
  EXPECT_FALSE(jacinth.interface.contains(jacinth.index_of(xena)));
  EXPECT_EQ(change_to(jacinth).verdict, Verdict::kDone);
  world.run_for(2s);
  EXPECT_TRUE(is_with(xena, jacinth));
  EXPECT_EQ(surya.way_to(xena), &jacinth);
}

TEST_F(Group, NobodyIsLeftBeforeTheOtherShakesHands) {
  bring_up();
  bool was_ever_without = false;
  world.on_send = [&](const Sent&) { was_ever_without |= xena.server_in_use() == nullptr; };
  EXPECT_EQ(change_to(surya).verdict, Verdict::kDone);
  EXPECT_FALSE(was_ever_without);
}

TEST_F(Group, AServerThatDoesNotAnswerIsNotSwitchedTo) {
  bring_up();
  cut_off(surya);
  EXPECT_EQ(change_to(surya, 3s).verdict, Verdict::kNoAnswer);
  EXPECT_TRUE(is_with(xena, jacinth));
  EXPECT_EQ(xena.view(jacinth).state, SessionState::kUp);
  mend();
  world.run_for(2min);
  EXPECT_TRUE(is_with(xena, jacinth));
  EXPECT_EQ(surya.way_to(xena), &jacinth) << "surya must have taken back what it told";
}

TEST_F(Group, TheWishGoesAlong) {
  ASSERT_EQ(world.finish(xena, xena.up(jacinth, {.insistence = gate::Insistence::kPersistent})).verdict,
            Verdict::kDone);
  EXPECT_EQ(change_to(surya).verdict, Verdict::kDone);
  world.run_for(2s);
  ASSERT_TRUE(xena.view(surya).wish);
  EXPECT_EQ(xena.view(surya).wish->insistence, gate::Insistence::kPersistent);
  EXPECT_FALSE(xena.view(jacinth).wish);
}

TEST_F(Group, ARestartedServerLearnsAgainWhoIsWhere) {
  bring_up();
  surya.carried.clear();
  surya.restart();
  world.run_for(5s);
  EXPECT_EQ(surya.way_to(xena), &jacinth);
  jacinth.restart();
  world.run_for(5s);
  EXPECT_EQ(surya.way_to(xena), &jacinth);
}

TEST_F(Group, AServerThatWasCutOffDoesNotTakeItsOldClientsBack) {
  bring_up();
  cut_off(jacinth);
  talk_for(20s);
  ASSERT_TRUE(is_with(xena, surya));
  jacinth.restart();  // it still believes in xena, and tells everybody so
  mend();
  talk_for(75s);
  EXPECT_TRUE(is_with(xena, surya));
  EXPECT_EQ(jacinth.way_to(xena), &surya);
  EXPECT_EQ(surya.view(xena).server, std::nullopt);
}

// Its cable is back: it learns that its client is with another server before it hears the client's own down.
TEST_F(Group, AServerWhoseNetworkComesBackLeavesAClientToTheOtherOne) {
  bring_up();
  world.is_cut = [this](const Host& from, const Host& to) {
    return (&from == &xena && &to == &jacinth) || (&from == &jacinth && &to == &xena);
  };
  EXPECT_EQ(change_to(surya).verdict, Verdict::kDone);
  world.run_for(1s);
  ASSERT_EQ(jacinth.view(xena).state, SessionState::kUp);
  ASSERT_EQ(jacinth.way_to(xena), &surya);
  jacinth.run([this](gate::Gatekeeper& gate) { gate.network_changed(world.now); });
  EXPECT_EQ(jacinth.way_to(xena), &surya);
  mend();
  world.run_for(1min);
  EXPECT_TRUE(is_with(xena, surya));
  EXPECT_EQ(jacinth.way_to(xena), &surya);
}

TEST_F(Group, WhatAServerNoLongerHasIsForgottenAfterItToldAfresh) {
  bring_up();
  ASSERT_EQ(surya.way_to(xena), &jacinth);
  // jacinth loses everything, and does not know that it should tell of it.
  jacinth.interface.clear();
  jacinth.remembered.clear();
  jacinth.restart();
  xena.interface.clear();
  xena.remembered.clear();
  xena.restart();
  world.run_for(10s);
  EXPECT_EQ(surya.view(xena).server, std::nullopt);
}

TEST_F(Group, AStrangerToTheGroupMayNotTellAnything) {
  xena.settings.group = "gateways";  // it says so; the servers' configurations do not
  for (auto& peer : xena.authorised) peer.group = "gateways";
  xena.directory.replace(xena.authorised);
  xena.restart();
  bring_up();
  world.run_for(1min);
  EXPECT_TRUE(jacinth.carried.empty());
  EXPECT_EQ(surya.way_to(xena), &jacinth);
}

TEST_F(Group, ADeadServerIsReplacedWithinSeconds) {
  bring_up();
  talk_for(10s);
  cut_off(jacinth);
  const Time begin = world.now;
  while (xena.server_in_use() != &surya && world.now - begin < 1min) talk_for(1s);
  EXPECT_LE(world.now - begin, 12s);
  EXPECT_TRUE(is_with(xena, surya));
  EXPECT_EQ(xena.view(surya).reason, "in place of jacinth, which was not heard any more");
  mend();
  talk_for(10min);
  EXPECT_TRUE(is_with(xena, surya)) << "it comes back only when it is told to";
}

TEST_F(Group, AnIdleLinkNoticesToo) {
  bring_up();
  cut_off(jacinth);
  for (int i = 0; i < 40; ++i) {
    world.run_for(1s);
    if (!xena.interface.contains(xena.index_of(jacinth))) break;
    xena.run([&](gate::Gatekeeper& gate) {
      gate.observe(xena.index_of(jacinth), {.handshake = 1, .rx_bytes = 1, .tx_bytes = 1}, world.now);
    });
  }
  EXPECT_TRUE(is_with(xena, surya));
}

TEST_F(Group, AServerThatIsAliveIsNotLeftBecauseNobodySpeaks) {
  bring_up();
  for (int i = 0; i < 600; ++i) {
    world.run_for(1s);
    xena.run([&](gate::Gatekeeper& gate) {
      gate.observe(xena.index_of(jacinth), {.handshake = 1, .rx_bytes = 1, .tx_bytes = 1}, world.now);
    });
  }
  EXPECT_TRUE(is_with(xena, jacinth));
}

TEST_F(Group, AServerThatSaysByeIsReplacedAtOnce) {
  bring_up();
  world.finish(jacinth, jacinth.bye(xena));
  world.run_for(1s);
  EXPECT_TRUE(is_with(xena, surya));
}

TEST_F(Group, TheSecondIsSkippedWhenItIsDeadToo) {
  bring_up();
  world.is_cut = [this](const Host& from, const Host& to) {
    return &from == &jacinth || &to == &jacinth || &from == &surya || &to == &surya;
  };
  cut = &jacinth;
  talk_for(30s);
  EXPECT_TRUE(is_with(xena, selen));
}

// The link to jacinth comes and goes each 20 s: xena does not follow each time.
TEST_F(Group, FlappingServersDoNotMakeTheirClientsRunToAndFro) {
  bring_up();
  world.is_cut = [this](const Host& from, const Host& to) {
    return cut != nullptr && (&from == cut || &to == cut || &from == &selen || &to == &selen);
  };
  unsigned changes = 0;
  const Host* last = &jacinth;
  for (int i = 0; i < 30; ++i) {
    cut = i % 2 == 0 ? &jacinth : &surya;
    talk_for(20s);
    changes += xena.server_in_use() != last ? 1 : 0;
    last = xena.server_in_use();
  }
  EXPECT_GE(changes, 1u);
  EXPECT_LE(changes, 12u);
}

TEST_F(Group, ItComesBackToWhomItFailedOverFromIfItIsConfiguredTo) {
  for (auto& peer : xena.authorised) {
    if (peer.name == "jacinth") peer.fail_back = 2min;
  }
  xena.directory.replace(xena.authorised);
  bring_up();
  cut_off(jacinth);
  talk_for(1min);
  ASSERT_TRUE(is_with(xena, surya));
  mend();
  talk_for(90s);
  EXPECT_TRUE(is_with(xena, surya)) << "it has not been well for long enough";
  talk_for(3min);
  EXPECT_TRUE(is_with(xena, jacinth));
}

// Whatever is lost, in the end everybody agrees where xena is.
class GroupOverABadWire : public Group, public ::testing::WithParamInterface<std::uint64_t> {
 protected:
  GroupOverABadWire() : Group(GetParam()) {}
};

TEST_P(GroupOverABadWire, SwitchingToAndFroConverges) {
  bring_up();
  for (int i = 0; i < 20; ++i) {
    world.noise = {.loss = 0.3, .duplicate = 0.2, .least_delay = 5ms, .most_delay = 400ms};
    Host& server = *std::array{&jacinth, &surya, &selen}[world.random.below(3)];
    const bool done = change_to(server).verdict == Verdict::kDone;
    world.noise = {};
    world.run_for(90s);
    Host* in_use = nullptr;
    for (Host* each : {&jacinth, &surya, &selen}) {
      if (xena.has(*each)) in_use = each;
    }
    ASSERT_NE(in_use, nullptr);
    EXPECT_TRUE(!done || in_use == &server);
    for (Host* each : {&jacinth, &surya, &selen}) {
      if (each == in_use) {
        EXPECT_EQ(each->way_to(xena), &xena) << i << " " << each->name;
      } else {
        EXPECT_EQ(each->view(xena).server, each->index_of(*in_use)) << i << " " << each->name;
        EXPECT_FALSE(each->interface.contains(each->index_of(xena))) << i << " " << each->name;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, GroupOverABadWire, ::testing::Range(std::uint64_t{1}, std::uint64_t{41}));

}  // namespace
}  // namespace anubis::sim

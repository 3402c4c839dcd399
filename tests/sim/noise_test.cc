// Random operations on a wire that does its worst, seed by seed. ANUBIS_SIM_RUNS sets how many; ANUBIS_SIM_SEED runs
// one seed again.
#include <algorithm>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "tests/sim/world.h"

namespace anubis::sim {
namespace {

using namespace std::chrono_literals;
using gate::SessionState;
using gate::Verdict;

void for_each_seed(const std::function<void(std::uint64_t)>& run) {
  if (const char* seed = std::getenv("ANUBIS_SIM_SEED")) return run(std::stoull(seed));
  const char* wanted = std::getenv("ANUBIS_SIM_RUNS");
  const std::uint64_t runs = wanted != nullptr ? std::stoull(wanted) : 300;
  for (std::uint64_t seed = 1; seed <= runs && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("run this one again with ANUBIS_SIM_SEED=" + std::to_string(seed));
    run(seed);
  }
}

Host& any_of(World& world) { return *world.hosts[world.random.below(world.hosts.size())]; }

void random_operation(World& world) {
  Host& host = any_of(world);
  Host& peer = any_of(world);
  if (&host == &peer) return;
  const Duration timeout = std::chrono::milliseconds(100 + world.random.below(20'000));
  if (world.random.below(2) == 0) {
    host.up(peer, std::nullopt, timeout);
  } else {
    host.down(peer, timeout);
  }
}

void expect_agreement(World& world) {
  for (auto& host : world.hosts) {
    for (auto& peer : world.hosts) {
      if (host == peer) continue;
      const bool up = host->view(*peer).state == SessionState::kUp;
      EXPECT_EQ(host->has(*peer), peer->has(*host)) << host->name << " and " << peer->name << " disagree";
      EXPECT_EQ(host->has(*peer), up) << host->name << " says what is not so of " << peer->name << ": "
                                      << gate::name_of(host->view(*peer).state);
      EXPECT_EQ(host->interface.contains(host->index_of(*peer)), up) << "a peer without routes was left behind";
      EXPECT_TRUE(!up || host->shares_key_with(*peer)) << host->name << " and " << peer->name << " have other keys";
    }
  }
}

TEST(Noise, F12BothEndsAgreeOnceTheWireIsCalmAgain) {
  for_each_seed([](std::uint64_t seed) {
    World world(seed);
    for (const char* name : {"xena", "jacinth", "surya"}) world.add_host(name);
    world.introduce_all();
    world.noise = {.loss = 0.5, .duplicate = 0.67, .corrupt = 0.1, .least_delay = 1ms, .most_delay = 60s};
    for (int i = 0; i < 40; ++i) {
      random_operation(world);
      world.run_for(std::chrono::milliseconds(world.random.below(5'000)));
    }
    world.noise = {};
    world.run_for(10min);
    expect_agreement(world);
  });
}

TEST(Noise, F12HostsOfDifferentSuitesAgreeToo) {
  crypto::initialise();
  if (!crypto::is_available(kAes256Gcm)) GTEST_SKIP() << "this hardware has no AES";
  for_each_seed([](std::uint64_t seed) {
    World world(seed);
    for (const char* name : {"xena", "jacinth", "surya"}) {
      Host& host = world.add_host(name);
      host.has_aes = world.random.below(2) == 0;
      if (host.has_aes) host.settings.suites.push_back(kAes256Gcm);
      host.restart();
    }
    world.introduce_all();
    world.noise = {.loss = 0.3, .duplicate = 0.5, .corrupt = 0.1, .least_delay = 1ms, .most_delay = 10s};
    for (int i = 0; i < 20; ++i) {
      random_operation(world);
      world.run_for(std::chrono::milliseconds(world.random.below(5'000)));
    }
    world.noise = {};
    world.run_for(10min);
    expect_agreement(world);
  });
}

TEST(Noise, EveryCommandIsAnsweredOnceAndInTime) {
  for_each_seed([](std::uint64_t seed) {
    World world(seed);
    Host& xena = world.add_host("xena");
    Host& jacinth = world.add_host("jacinth");
    world.introduce_all();
    world.noise = {.loss = 0.3, .duplicate = 0.3, .corrupt = 0.05, .least_delay = 1ms, .most_delay = 2s};
    for (int i = 0; i < 20; ++i) {
      const auto up = xena.up(jacinth);
      world.run_for(10s);
      ASSERT_TRUE(xena.outcome(up));
      const auto down = xena.down(jacinth);
      world.run_for(10s);
      ASSERT_TRUE(xena.outcome(down));
    }
  });
}

TEST(Noise, AnOkNeverLies) {
  for_each_seed([](std::uint64_t seed) {
    World world(seed);
    Host& xena = world.add_host("xena");
    Host& jacinth = world.add_host("jacinth");
    world.introduce_all();
    world.noise = {.loss = 0.3, .duplicate = 0.5, .corrupt = 0.05, .least_delay = 1ms, .most_delay = 3s};
    // One user, who waits for each answer: then what was answered is so, there and here.
    for (int i = 0; i < 20; ++i) {
      const bool wants_up = world.random.below(2) == 0;
      const auto outcome = world.finish(xena, wants_up ? xena.up(jacinth) : xena.down(jacinth));
      if (outcome.verdict != Verdict::kDone) continue;
      ASSERT_EQ(xena.has(jacinth), wants_up);
      ASSERT_EQ(jacinth.has(xena), wants_up);
    }
  });
}

TEST(Noise, F9UpAndDownThatRaceEndInTheSameStateAtBothEnds) {
  for_each_seed([](std::uint64_t seed) {
    World world(seed);
    Host& xena = world.add_host("xena");
    Host& jacinth = world.add_host("jacinth");
    world.introduce_all();
    world.noise = {.least_delay = 1ms, .most_delay = 30ms};
    xena.up(jacinth);
    world.run_for(std::chrono::milliseconds(world.random.below(80)));
    jacinth.down(xena);
    world.run_for(std::chrono::milliseconds(world.random.below(80)));
    xena.up(jacinth);
    world.run_for(5min);
    expect_agreement(world);
  });
}

TEST(Noise, PresharedKeysAgreeWhateverIsLostAndWhoeverAsks) {
  for_each_seed([](std::uint64_t seed) {
    World world(seed);
    Host& xena = world.add_host("xena");
    Host& jacinth = world.add_host("jacinth");
    world.introduce_all();
    world.noise = {.loss = 0.4, .duplicate = 0.3, .least_delay = 1ms, .most_delay = 2s};
    for (int i = 0; i < 30; ++i) {
      Host& host = any_of(world);
      Host& peer = &host == &xena ? jacinth : xena;
      host.up(peer, std::nullopt, std::chrono::milliseconds(100 + world.random.below(5'000)));
      // Often at once, so that the two ask at the same time.
      if (world.random.below(2) == 0) world.run_for(std::chrono::milliseconds(world.random.below(4'000)));
      // What was under way when it ended is forgotten; what was up must not be.
      if (world.random.below(4) == 0 && host.view(peer).state == SessionState::kUp) host.restart();
    }
    world.noise = {};
    world.run_for(10min);
    expect_agreement(world);
  });
}

TEST(Noise, PresharedKeysAgreeWhenBothAskAtOnce) {
  for_each_seed([](std::uint64_t seed) {
    World world(seed);
    Host& xena = world.add_host("xena");
    Host& jacinth = world.add_host("jacinth");
    world.introduce_all();
    world.noise = {.least_delay = 1ms, .most_delay = 30ms};
    for (int i = 0; i < 4; ++i) {
      const auto here = xena.up(jacinth);
      world.run_for(std::chrono::milliseconds(world.random.below(40)));
      const auto there = jacinth.up(xena);
      EXPECT_EQ(world.finish(xena, here).verdict, Verdict::kDone);
      EXPECT_EQ(world.finish(jacinth, there).verdict, Verdict::kDone);
      world.run_for(1s);
      EXPECT_TRUE(xena.shares_key_with(jacinth));
    }
  });
}

TEST(Noise, F22ACorruptedDatagramHasNoEffect) {
  for_each_seed([](std::uint64_t seed) {
    World world(seed);
    Host& xena = world.add_host("xena");
    Host& jacinth = world.add_host("jacinth");
    world.introduce_all();
    world.noise.corrupt = 1;
    EXPECT_EQ(world.finish(xena, xena.up(jacinth)).verdict, Verdict::kNoAnswer);
    EXPECT_EQ(jacinth.installs, 0u);
    EXPECT_EQ(jacinth.gatekeeper->counters().requests_accepted, 0u);
  });
}

TEST(Noise, SessionsSurviveARestartOfEitherEnd) {
  for_each_seed([](std::uint64_t seed) {
    World world(seed);
    Host& xena = world.add_host("xena");
    Host& jacinth = world.add_host("jacinth");
    world.introduce_all();
    ASSERT_EQ(world.finish(xena, xena.up(jacinth)).verdict, Verdict::kDone);
    const auto installs = xena.installs + jacinth.installs;
    for (int i = 0; i < 5; ++i) {
      any_of(world).restart();
      world.run_for(1min);
    }
    EXPECT_EQ(xena.installs + jacinth.installs, installs);  // F41: nobody was rewritten
    EXPECT_EQ(world.finish(jacinth, jacinth.down(xena)).verdict, Verdict::kDone);
    expect_agreement(world);
  });
}

}  // namespace
}  // namespace anubis::sim

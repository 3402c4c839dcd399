// Which suite two hosts use (docs/protocol.md, section 3.4), and an attacker who wants them to use another.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/sim/world.h"

namespace anubis::sim {
namespace {

using namespace std::chrono_literals;
using gate::SessionState;
using gate::Verdict;

constexpr auto kXChaCha = crypto::Suite::kXChaCha20Poly1305;

class Suites : public ::testing::Test {
 protected:
  Suites() { world.introduce_all(); }
  void SetUp() override {
    if (!crypto::is_available(kAes256Gcm)) GTEST_SKIP() << "this hardware has no AES";
  }

  static void allow(Host& host, std::vector<crypto::Suite> suites) {
    host.settings.suites = std::move(suites);
    host.restart();
  }
  static void take_aes_from(Host& host) {
    host.has_aes = false;
    allow(host, {kXChaCha});
  }
  gate::Outcome up() { return world.finish(xena, xena.up(jacinth)); }
  gate::Outcome down() { return world.finish(xena, xena.down(jacinth)); }
  [[nodiscard]] std::size_t sent_in(crypto::Suite suite) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(world.sent, [suite](const Sent& sent) { return suite_of(sent.bytes) == suite; }));
  }

  World world{11};
  Host& xena = world.add_host("xena");
  Host& jacinth = world.add_host("jacinth");
};

TEST_F(Suites, TheStrongestThatBothHaveIsUsedAndFindingItCostsNothingMore) {
  allow(xena, {kXChaCha, kAes256Gcm});
  allow(jacinth, {kAes256Gcm, kXChaCha});
  const auto outcome = up();
  EXPECT_EQ(outcome.verdict, Verdict::kDone);
  EXPECT_LE(outcome.took, 43ms);  // as without a token: the refusal brings that along
  EXPECT_EQ(suite_of(world.sent.back().bytes), kAes256Gcm);
  EXPECT_EQ(sent_in(kXChaCha), 2u);  // the first question, and its refusal
}

TEST_F(Suites, OnceItIsKnownAnUpTakesOneRoundTripInIt) {
  allow(xena, {kXChaCha, kAes256Gcm});
  allow(jacinth, {kXChaCha, kAes256Gcm});
  xena.run([&](gate::Gatekeeper& gate) { gate.warm_up(xena.index_of(jacinth), world.now); });
  world.run_for(1s);
  world.sent.clear();
  EXPECT_LE(up().took, 23ms);
  EXPECT_EQ(sent_in(kXChaCha), 0u);
}

TEST_F(Suites, AHostLearnsItFromThePeersRequestsToo) {
  allow(xena, {kXChaCha, kAes256Gcm});
  allow(jacinth, {kXChaCha, kAes256Gcm});
  ASSERT_EQ(up().verdict, Verdict::kDone);
  world.sent.clear();
  ASSERT_EQ(world.finish(jacinth, jacinth.down(xena)).verdict, Verdict::kDone);
  EXPECT_EQ(sent_in(kXChaCha), 0u);
}

TEST_F(Suites, AHostWithoutAesIsReachedAtOnce) {
  allow(xena, {kXChaCha, kAes256Gcm});
  take_aes_from(jacinth);
  const auto outcome = up();
  EXPECT_EQ(outcome.verdict, Verdict::kDone);
  EXPECT_LE(outcome.took, 43ms);
  EXPECT_EQ(world.finish(jacinth, jacinth.down(xena)).verdict, Verdict::kDone);
  EXPECT_EQ(sent_in(kAes256Gcm), 0u);
}

TEST_F(Suites, APolicyOfOneSuiteIsKept) {
  allow(xena, {kAes256Gcm});
  allow(jacinth, {kXChaCha, kAes256Gcm});
  EXPECT_EQ(up().verdict, Verdict::kDone);
  EXPECT_EQ(world.finish(jacinth, jacinth.down(xena)).verdict, Verdict::kDone);
  EXPECT_EQ(sent_in(kXChaCha), 0u);
}

TEST_F(Suites, NothingInCommonIsARefusalThatNamesBothPolicies) {
  allow(xena, {kAes256Gcm});
  allow(jacinth, {kXChaCha});
  for (const auto& [from, to, text] :
       {std::tuple{&xena, &jacinth, "this host allows aes256gcm, jacinth allows xchacha20poly1305"},
        std::tuple{&jacinth, &xena, "this host allows xchacha20poly1305, xena allows aes256gcm"}}) {
    const auto outcome = world.finish(*from, from->up(*to));
    EXPECT_EQ(outcome.verdict, Verdict::kRefused);
    EXPECT_EQ(outcome.code, wire::ResultCode::kSuite);
    EXPECT_EQ(outcome.text, text);
    EXPECT_EQ(from->view(*to).state, SessionState::kFailed);
  }
  EXPECT_EQ(xena.installs + jacinth.installs, 0u);
}

TEST_F(Suites, SilenceIsExplainedWhereOnlyASuiteIsAllowedThatNotEveryHostHas) {
  allow(xena, {kAes256Gcm});
  take_aes_from(jacinth);
  const auto outcome = up();
  EXPECT_EQ(outcome.verdict, Verdict::kNoAnswer);
  EXPECT_EQ(outcome.text, "this host allows only aes256gcm, which not every host has");
}

TEST_F(Suites, APolicyThatChangedIsFollowed) {
  allow(xena, {kXChaCha, kAes256Gcm});
  allow(jacinth, {kXChaCha, kAes256Gcm});
  ASSERT_EQ(up().verdict, Verdict::kDone);
  allow(jacinth, {kXChaCha});
  EXPECT_EQ(down().verdict, Verdict::kDone);
  EXPECT_EQ(suite_of(world.sent.back().bytes), kXChaCha);
  allow(jacinth, {kAes256Gcm});
  EXPECT_EQ(up().verdict, Verdict::kDone);
  EXPECT_EQ(suite_of(world.sent.back().bytes), kAes256Gcm);
}

// A virtual machine that was moved to another processor.
TEST_F(Suites, APeerThatLostItsAesIsReachedByTheNextCommandAndByADownInTheBackground) {
  allow(xena, {kXChaCha, kAes256Gcm});
  allow(jacinth, {kXChaCha, kAes256Gcm});
  ASSERT_EQ(up().verdict, Verdict::kDone);
  take_aes_from(jacinth);
  EXPECT_EQ(down().verdict, Verdict::kNoAnswer);
  world.run_for(1s);
  EXPECT_TRUE(jacinth.interface.empty());
  EXPECT_EQ(up().verdict, Verdict::kDone);
}

TEST_F(Suites, F21AnAttackerWhoRewritesTheSuiteGetsNoWeakerSession) {
  allow(xena, {kXChaCha, kAes256Gcm});
  allow(jacinth, {kXChaCha, kAes256Gcm});
  world.on_send = [&](const Sent& sent) {
    if (suite_of(sent.bytes) != kAes256Gcm) return;
    auto rewritten = sent.bytes;
    rewritten[6] = static_cast<std::uint8_t>(kXChaCha);
    world.at(1ms, [&, from = sent.from, to = sent.to, rewritten] { world.inject(*from, *to, rewritten); });
    world.noise.loss = 1;
  };
  EXPECT_EQ(up().verdict, Verdict::kNoAnswer);
  EXPECT_EQ(jacinth.gatekeeper->counters().requests_accepted, 0u);
  EXPECT_GT(jacinth.gatekeeper->counters().dropped[static_cast<std::size_t>(wire::Drop::kAuthentication)], 0u);
}

TEST_F(Suites, F21AnAttackerWhoLetsOnlyTheWeakerSuiteThroughGetsNoSession) {
  allow(xena, {kXChaCha, kAes256Gcm});
  allow(jacinth, {kXChaCha, kAes256Gcm});
  world.on_send = [&](const Sent& sent) { world.noise.loss = suite_of(sent.bytes) == kAes256Gcm ? 1 : 0; };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(up().verdict, Verdict::kNoAnswer);
  world.run_for(10min);
  EXPECT_EQ(jacinth.gatekeeper->counters().requests_accepted, 0u);
  EXPECT_GT(sent_in(kXChaCha), 0u);
  EXPECT_EQ(jacinth.installs, 0u);
}

}  // namespace
}  // namespace anubis::sim

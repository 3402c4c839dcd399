// An attacker who records the side wire and plays it back: late, again, to somebody else, or to its sender.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/sim/world.h"

namespace anubis::sim {
namespace {

using namespace std::chrono_literals;
using gate::SessionState;
using gate::Verdict;
using wire::Drop;

class Replay : public ::testing::Test {
 protected:
  Replay() { world.introduce_all(); }

  void up() { ASSERT_EQ(world.finish(xena, xena.up(jacinth)).verdict, Verdict::kDone); }
  void down() { ASSERT_EQ(world.finish(xena, xena.down(jacinth)).verdict, Verdict::kDone); }

  // The datagram of the last exchange in that direction.
  Sent last(const Host& from, const Host& to) {
    const auto found = std::find_if(world.sent.rbegin(), world.sent.rend(),
                                    [&](const Sent& one) { return one.from == &from && one.to == &to; });
    EXPECT_NE(found, world.sent.rend());
    return *found;
  }
  static std::uint64_t dropped(const Host& host, Drop reason) {
    return host.gatekeeper->counters().dropped[static_cast<std::size_t>(reason)];
  }

  World world{7};
  Host& xena = world.add_host("xena");
  Host& jacinth = world.add_host("jacinth");
  Host& surya = world.add_host("surya");
};

TEST_F(Replay, F1ARequestReplayedInTheSameRunGetsTheIdenticalReplyAndNoSecondEffect) {
  up();
  const auto request = last(xena, jacinth);
  const auto reply = last(jacinth, xena);
  const auto installs = jacinth.installs;
  world.inject(xena, jacinth, request.bytes);
  EXPECT_EQ(last(jacinth, xena).bytes, reply.bytes);
  EXPECT_EQ(jacinth.gatekeeper->counters().replies_repeated, 1u);
  EXPECT_EQ(jacinth.installs, installs);
}

TEST_F(Replay, F2ARequestReplayedAfterTheResponderRestartedIsStale) {
  up();
  const auto request = last(xena, jacinth);
  jacinth.interface.clear();
  jacinth.restart();
  world.inject(xena, jacinth, request.bytes);
  EXPECT_EQ(jacinth.gatekeeper->counters().stale, 1u);
  EXPECT_TRUE(jacinth.interface.empty());
}

TEST_F(Replay, F4ADelayedUpThatArrivesAfterDownStaysDown) {
  up();
  const auto late_up = last(xena, jacinth);
  down();
  const auto after_first_down = jacinth.installs;
  world.inject(xena, jacinth, late_up.bytes);
  world.run_for(1min);
  EXPECT_EQ(jacinth.installs, after_first_down);
  EXPECT_TRUE(jacinth.interface.empty());
}

TEST_F(Replay, F4AnUpThatNeverArrivedBeforeDownStaysDown) {
  xena.run([&](gate::Gatekeeper& gate) { gate.warm_up(xena.index_of(jacinth), world.now); });
  world.run_for(1s);
  world.noise.loss = 1;
  xena.up(jacinth, std::nullopt, 100ms);
  const auto late_up = last(xena, jacinth);
  world.run_for(200ms);
  world.noise.loss = 0;
  world.run_for(1min);  // the failed attempt tells jacinth to be down
  world.inject(xena, jacinth, late_up.bytes);
  EXPECT_EQ(jacinth.installs, 0u);
}

TEST_F(Replay, F5ALostReplyIsMadeGoodByTheIdenticalRetry) {
  bool lost_one = false;
  world.on_send = [&](const Sent& sent) {
    // The first reply that followed an installation is lost.
    const bool lose = sent.from == &jacinth && jacinth.installs == 1 && !lost_one;
    lost_one |= lose;
    world.noise.loss = lose ? 1 : 0;
  };
  up();
  EXPECT_TRUE(lost_one);
  EXPECT_EQ(jacinth.installs, 1u);
  EXPECT_EQ(jacinth.gatekeeper->counters().replies_repeated, 1u);
}

TEST_F(Replay, F6ARetryAfterTheAdminTookItDownNeverGetsTheOldOk) {
  up();
  const auto request = last(xena, jacinth);
  const auto old_ok = last(jacinth, xena);
  world.noise.loss = 1;
  world.finish(jacinth, jacinth.down(xena, 1s));
  const auto stale = jacinth.gatekeeper->counters().stale;
  world.inject(xena, jacinth, request.bytes);
  EXPECT_NE(last(jacinth, xena).bytes, old_ok.bytes);
  EXPECT_EQ(jacinth.gatekeeper->counters().stale, stale + 1);
  EXPECT_TRUE(jacinth.interface.empty());
}

TEST_F(Replay, F7AReplyToAnotherRequestIsDropped) {
  up();
  const auto ok = last(jacinth, xena);
  down();
  const auto before = dropped(xena, Drop::kUnsolicited);
  world.noise.loss = 1;
  xena.up(jacinth);
  world.inject(jacinth, xena, ok.bytes);
  EXPECT_EQ(dropped(xena, Drop::kUnsolicited), before + 1);
  EXPECT_EQ(xena.view(jacinth).state, SessionState::kGoingUp);
}

TEST_F(Replay, F8AMessageReflectedToItsSenderIsDropped) {
  up();
  const auto request = last(xena, jacinth);
  const auto reply = last(jacinth, xena);
  const auto accepted = xena.gatekeeper->counters().requests_accepted;
  // As it is (nobody authorises its own key), …
  world.inject(jacinth, xena, request.bytes);
  EXPECT_EQ(dropped(xena, Drop::kUnknownSender), 1u);
  world.inject(xena, jacinth, reply.bytes);
  EXPECT_EQ(dropped(jacinth, Drop::kUnknownSender), 1u);
  // … and with the peer's key written over the sender's.
  auto forged = request.bytes;
  std::ranges::copy(jacinth.identity.public_key.bytes, forged.begin() + 24);
  world.inject(jacinth, xena, forged);
  EXPECT_EQ(dropped(xena, Drop::kAuthentication), 1u);
  EXPECT_EQ(xena.gatekeeper->counters().requests_accepted, accepted);
}

TEST_F(Replay, F11RepliesSwappedBetweenPeersAreDropped) {
  world.noise.loss = 1;
  xena.up(jacinth);
  xena.up(surya);
  const auto to_jacinth = last(xena, jacinth);
  const auto to_surya = last(xena, surya);
  world.inject(xena, jacinth, to_jacinth.bytes);
  world.inject(xena, surya, to_surya.bytes);
  const auto from_jacinth = last(jacinth, xena);
  const auto from_surya = last(surya, xena);
  world.inject(surya, xena, from_jacinth.bytes);
  world.inject(jacinth, xena, from_surya.bytes);
  EXPECT_EQ(dropped(xena, Drop::kSource), 2u);
  // Even under the other's name a reply fits only its own request.
  auto renamed = from_jacinth.bytes;
  std::ranges::copy(surya.identity.public_key.bytes, renamed.begin() + 24);
  world.inject(surya, xena, renamed);
  EXPECT_EQ(dropped(xena, Drop::kUnsolicited), 1u);
}

TEST_F(Replay, F13SomebodyElsesKeyIsDropped) {
  world.noise.loss = 1;
  xena.up(jacinth);
  const auto request = last(xena, jacinth);
  // surya, who is authorised, sends xena's message as its own.
  world.inject(surya, jacinth, request.bytes);
  EXPECT_EQ(dropped(jacinth, Drop::kSource), 1u);
  EXPECT_EQ(jacinth.gatekeeper->counters().requests_accepted, 0u);
}

TEST_F(Replay, F14AValidMessageFromAnotherInnerAddressIsDropped) {
  world.noise.loss = 1;
  xena.up(jacinth);
  const auto request = last(xena, jacinth);
  jacinth.run([&](gate::Gatekeeper& gate) {
    gate.receive(request.bytes, *model::IpAddress::parse("fd77::1"), 4298, world.now);
  });
  EXPECT_EQ(dropped(jacinth, Drop::kSource), 1u);
}

TEST_F(Replay, AStrangerIsDroppedBeforeAnyCryptography) {
  Host& stranger = world.add_host("stranger");
  stranger.authorise(jacinth);
  stranger.up(jacinth);
  world.run_for(10s);
  EXPECT_GT(dropped(jacinth, Drop::kUnknownSender), 0u);
  EXPECT_EQ(jacinth.gatekeeper->counters().sent, 0u);
}

TEST_F(Replay, F17APresharedKeyOnOneSideOnlyIsSilenceAndStatusCanTell) {
  base::Secret<crypto::kKeySize> secret;
  world.random.fill(secret.writable());
  for (auto& peer : jacinth.authorised) {
    peer.preshared_key = std::make_shared<const crypto::PresharedKey>(secret.duplicate());
  }
  jacinth.directory.replace(jacinth.authorised);
  EXPECT_EQ(world.finish(xena, xena.up(jacinth)).verdict, Verdict::kNoAnswer);
  EXPECT_EQ(jacinth.gatekeeper->counters().sent, 0u);
  EXPECT_GT(jacinth.view(xena).unopened, 0u);

  for (auto& peer : jacinth.authorised) peer.preshared_key.reset();
  jacinth.directory.replace(jacinth.authorised);
  jacinth.run([&](gate::Gatekeeper& gate) { gate.peer_changed(jacinth.index_of(xena), world.now); });
  EXPECT_EQ(world.finish(xena, xena.up(jacinth)).verdict, Verdict::kDone);
  EXPECT_EQ(jacinth.view(xena).unopened, 0u);
}

TEST_F(Replay, TheWholeRecordingPlayedBackInAnyOrderHasNoEffect) {
  for (int i = 0; i < 10; ++i) {
    up();
    ASSERT_EQ(world.finish(jacinth, jacinth.up(surya)).verdict, Verdict::kDone);
    down();
    ASSERT_EQ(world.finish(surya, surya.down(jacinth)).verdict, Verdict::kDone);
  }
  up();
  world.run_for(1min);
  auto recording = world.sent;
  const auto effects = [&] {
    std::uint64_t sum = 0;
    for (auto& host : world.hosts) sum += host->installs + host->removals + host->changes.size();
    return sum;
  };
  const auto before = effects();
  for (int round = 0; round < 20; ++round) {
    for (std::size_t i = recording.size(); i > 1; --i) std::swap(recording[i - 1], recording[world.random.below(i)]);
    for (const Sent& sent : recording) {
      world.inject(*sent.from, *sent.to, sent.bytes);
      world.run_for(20ms);  // no faster than a peer is listened to: each shall be looked at
    }
  }
  world.run_for(1min);
  EXPECT_EQ(effects(), before);
  EXPECT_TRUE(jacinth.has(xena));
  EXPECT_FALSE(jacinth.has(surya));
}

TEST_F(Replay, AReplyIsNeverLongerThanItsRequest) {
  jacinth.install_error = base::Error{base::ErrorCode::kConflict, std::string(5000, 'x')};
  world.finish(xena, xena.up(jacinth));
  std::size_t longest = 0;
  for (const Sent& sent : world.sent) longest = std::max(longest, sent.bytes.size());
  EXPECT_EQ(longest, wire::kRequestSize);
}

}  // namespace
}  // namespace anubis::sim

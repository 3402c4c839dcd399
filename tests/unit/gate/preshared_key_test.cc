// WireGuard's preshared key of a session (docs/protocol.md, 9.4), where the order of messages matters.
#include "tests/support/preshared_key.h"

#include <algorithm>
#include <type_traits>

#include <gtest/gtest.h>

#include "tests/unit/gate/peers_end.h"

namespace anubis::gate {
namespace {

using namespace std::chrono_literals;
using wire::Operation;
using wire::ResultCode;

class PresharedKeyTest : public PeersEndTest {
 protected:
  // So many that there is one with a lower production key than ours, and one with a higher.
  PresharedKeyTest() { start({}, 256); }
  static constexpr std::size_t kLower = 0;
  static constexpr std::size_t kHigher = 1;

  wire::Token current_token(std::size_t peer = kLower) {
    return answer_to({.suites = {kXChaCha}}, kXChaCha, peer).token;
  }
  // The peer renews with its own key, and this is what it hears.
  wire::Reply renewed_by_peer(std::uint8_t key, std::size_t peer = kLower) {
    deliver(request({.operation = Operation::kRenew,
                     .token = current_token(peer),
                     .suites = {kXChaCha},
                     .preshared_key = test::preshared_key(key)},
                    kXChaCha, peer),
            peer);
    const auto installs = take<InstallPeer>();
    if (installs.size() != 1) return {.result = ResultCode::kInternal, .text = "nothing was installed"};
    installed = installs[0].preshared_key;
    gate->installed(index_of(peer), installs[0].ticket, Installed{wire::PeerPresence::kFound}, now);
    return reply_in(sent());
  }
  SharedPresharedKey installed;
};

TEST_F(PresharedKeyTest, ASessionThatNobodyRemembersGetsANewKeyAtOnce) {
  gate->resume(index_of(0), std::nullopt, true, now);
  const auto asked = request_in(sent());
  EXPECT_EQ(asked.operation, Operation::kRenew);
  EXPECT_TRUE(asked.preshared_key);
}

TEST_F(PresharedKeyTest, ASessionThatIsRememberedIsLeftAlone) {
  gate->resume(index_of(0), Remembered{.up = true, .since = now}, true, now);
  EXPECT_TRUE(take<SendDatagram>().empty());
}

TEST_F(PresharedKeyTest, ARenewalOfThePeersIsInstalledAndConfirmed) {
  gate->resume(index_of(0), Remembered{.up = true, .since = now}, true, now);
  const auto reply = renewed_by_peer(7);
  EXPECT_EQ(reply.result, ResultCode::kOk);
  EXPECT_EQ(reply.preshared_key_id, crypto::id_of(*test::preshared_key(7)));
  EXPECT_TRUE(installed->equals(*test::preshared_key(7)));
}

TEST_F(PresharedKeyTest, APeerThatWasTakenAwayIsNotRenewed) {
  gate->resume(index_of(0), Remembered{.up = true, .since = now}, true, now);
  deliver(request({.operation = Operation::kRenew,
                   .token = current_token(),
                   .suites = {kXChaCha},
                   .preshared_key = test::preshared_key(7)}));
  gate->installed(index_of(0), take<InstallPeer>().at(0).ticket, Installed{wire::PeerPresence::kCreated}, now);
  EXPECT_EQ(reply_in(sent()).result, ResultCode::kNotUp);
}

// Found by the model: the lower end's key counts, the peer has been told so, and then a refusal that was delayed ended
// the only exchange that would have brought it there.
TEST_F(PresharedKeyTest, WhoHasInsistedOnItsKeyAsksUntilThePeerHasIt) {
  for (const std::size_t peer : {kHigher, kLower}) {
    const bool own_counts = own_public_key < directory.get(index_of(peer))->public_key;
    ASSERT_EQ(own_counts, peer == kHigher);
    gate->resume(index_of(peer), Remembered{.up = true, .renewing = true, .since = now}, true, now);
    const auto first = sent();
    const auto own_key = request_in(first).preshared_key;
    const auto reply = renewed_by_peer(7, peer);
    EXPECT_EQ(reply.preshared_key_id, crypto::id_of(own_counts ? *own_key : *test::preshared_key(7)));
    deliver(reply_to(first, {.result = ResultCode::kNotUp, .state = SessionState::kGoingUp}, peer), peer);
    (void)gate->take_actions();
    gate->advance(now += 5min);
    const auto repeated = take<SendDatagram>();
    EXPECT_EQ(std::ranges::any_of(repeated, [&](const auto& each) { return each.peer == index_of(peer); }), own_counts);
  }
}

// Found by the fuzzer: one end failed and had nothing left, the other asked for ever for the renewal of what it still
// had.
TEST_F(PresharedKeyTest, ASessionThatIsGoneThereIsTakenDownHere) {
  gate->resume(index_of(0), Remembered{.up = true, .renewing = true, .since = now}, true, now);
  const auto asked = sent();
  deliver(reply_to(asked, {.result = ResultCode::kNotUp, .state = SessionState::kFailed}));
  EXPECT_EQ(gate->view(index_of(0), now).state, SessionState::kGoingDown);
  EXPECT_EQ(request_in(sent()).operation, Operation::kDown);
}

// Found by the fuzzer: the other end began anew, which failed here while we were renewing what it no longer had.
TEST_F(PresharedKeyTest, AnUpOfThePeersThatFailsEndsARenewalToo) {
  gate->resume(index_of(0), Remembered{.up = true, .since = now}, true, now);
  gate->up(CommandId{1}, index_of(0), {}, now);
  (void)gate->take_actions();
  deliver(request({.operation = Operation::kUp,
                   .token = current_token(),
                   .suites = {kXChaCha},
                   .preshared_key = test::preshared_key(7)}));
  gate->installed(index_of(0), take<InstallPeer>().at(0).ticket, base::fail(base::ErrorCode::kConflict, "in the way"),
                  now);
  const Actions actions = gate->take_actions();
  const auto has = [&actions]<class Kind>(std::type_identity<Kind>) {
    return std::ranges::any_of(actions, [](const Action& each) { return std::holds_alternative<Kind>(each); });
  };
  EXPECT_TRUE(has(std::type_identity<RemovePeer>()));
  EXPECT_TRUE(has(std::type_identity<FinishCommand>()));
  EXPECT_EQ(gate->view(index_of(0), now).state, SessionState::kFailed);
}

TEST_F(PresharedKeyTest, WhatThePeerDoesNotHaveIsMadeAnewWithoutIt) {
  gate->up(CommandId{1}, index_of(0), {}, now);
  gate->resolved(index_of(0), take<ResolveEndpoint>().at(0).ticket, model::Endpoint{}, now);
  const auto asked = sent();
  EXPECT_TRUE(request_in(asked).preshared_key);
  deliver(reply_to(asked, {.presence = wire::PeerPresence::kCreated}));
  const auto installs = take<InstallPeer>();
  ASSERT_EQ(installs.size(), 1u);
  EXPECT_EQ(installs[0].installation, Installation::kRecreate);
  EXPECT_TRUE(installs[0].preshared_key->equals(*crypto::no_preshared_key()));
}

}  // namespace
}  // namespace anubis::gate

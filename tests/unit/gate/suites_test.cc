// The offer and the choice of a suite: docs/protocol.md, section 3.4.
#include <gmock/gmock.h>

#include "tests/unit/gate/peers_end.h"

namespace anubis::gate {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::Operation;
using wire::ResultCode;

class SuiteTest : public PeersEndTest {
 protected:
  void SetUp() override {
    crypto::initialise();
    if (!crypto::is_available(kAes256Gcm)) GTEST_SKIP() << "this hardware has no AES";
    start({.suites = {kXChaCha, kAes256Gcm}});
  }

  static wire::Request up_with(std::optional<wire::Token> token, std::vector<crypto::Suite> suites) {
    return {.operation = Operation::kUp, .token = token, .suites = std::move(suites)};
  }
  wire::Token current_token() { return answer_to({.suites = {kXChaCha}}).token; }
  void user_asks_up() {
    gate->up(CommandId{1}, index_of(0), {}, now);
    const auto resolve = take<ResolveEndpoint>();
    gate->resolved(index_of(0), resolve.at(0).ticket, model::Endpoint{}, now);
  }
};

TEST_F(SuiteTest, F21AnOfferWithoutTheSuiteInUseIsRefused) {
  const auto token = current_token();
  EXPECT_EQ(answer_to(up_with(token, {kXChaCha}), kAes256Gcm).result, ResultCode::kSuite);
  EXPECT_EQ(answer_to(up_with(token, {kAes256Gcm}), kXChaCha).result, ResultCode::kSuite);
  EXPECT_EQ(answer_to(up_with(token, {}), kXChaCha).result, ResultCode::kSuite);
  EXPECT_EQ(answer_to(up_with(token, {}), kAes256Gcm).result, ResultCode::kSuite);
  EXPECT_EQ(gate->counters().requests_accepted, 0u);
}

TEST_F(SuiteTest, F21TheWeakerOfTwoThatBothHaveIsRefusedAndTheTokenStays) {
  const auto token = current_token();
  const auto refusal = answer_to(up_with(token, {kXChaCha, kAes256Gcm}), kXChaCha);
  EXPECT_EQ(refusal.result, ResultCode::kSuite);
  EXPECT_THAT(refusal.suites, ElementsAre(kXChaCha, kAes256Gcm));
  EXPECT_EQ(refusal.token, token);
  deliver(request(up_with(token, {kXChaCha, kAes256Gcm}), kAes256Gcm));
  EXPECT_EQ(take<InstallPeer>().size(), 1u);
}

TEST_F(SuiteTest, WhoHasOnlyTheOneIsServedInIt) {
  EXPECT_EQ(answer_to({.token = current_token(), .suites = {kXChaCha}}).result, ResultCode::kOk);
  EXPECT_EQ(answer_to({.token = current_token(), .suites = {kAes256Gcm}}, kAes256Gcm).result, ResultCode::kOk);
}

TEST_F(SuiteTest, AReplyHasItsRequestsSuite) {
  deliver(request({.suites = {kAes256Gcm}}, kAes256Gcm));
  EXPECT_EQ(wire::decode_header(sent())->suite, kAes256Gcm);
  deliver(request({.suites = {kXChaCha}}, kXChaCha));
  EXPECT_EQ(wire::decode_header(sent())->suite, kXChaCha);
}

TEST_F(SuiteTest, EachSuiteHasItsOwnKeysDerivedOnceEach) {
  for (int i = 0; i < 3; ++i) {
    (void)answer_to({.suites = {kXChaCha}}, kXChaCha);
    (void)answer_to({.suites = {kAes256Gcm}}, kAes256Gcm);
  }
  EXPECT_EQ(agreement.derived, 2u);
}

TEST_F(SuiteTest, WhatThePolicyForbidsIsAnsweredAndHasNoEffect) {
  start({.suites = {kAes256Gcm}});
  const auto refusal = answer_to(up_with(std::nullopt, {kXChaCha}), kXChaCha);
  EXPECT_EQ(refusal.result, ResultCode::kSuite);
  EXPECT_THAT(refusal.suites, ElementsAre(kAes256Gcm));
  EXPECT_EQ(refusal.text, "this host allows aes256gcm");
  EXPECT_THAT(take<InstallPeer>(), IsEmpty());
}

TEST_F(SuiteTest, ARequestOffersAllOfThePolicyAndNothingElse) {
  user_asks_up();
  const auto first = sent();
  EXPECT_EQ(wire::decode_header(first)->suite, kXChaCha);
  EXPECT_THAT(request_in(first).suites, ElementsAre(kXChaCha, kAes256Gcm));
  start({.suites = {kAes256Gcm}});
  user_asks_up();
  const auto only = sent();
  EXPECT_EQ(wire::decode_header(only)->suite, kAes256Gcm);
  EXPECT_THAT(request_in(only).suites, ElementsAre(kAes256Gcm));
}

TEST_F(SuiteTest, ARefusalIsFollowedByAnotherRequestWithTheTokenThatItBrought) {
  user_asks_up();
  const auto first = sent();
  deliver(reply_to(first, {.result = ResultCode::kSuite, .token = {7}, .suites = {kXChaCha, kAes256Gcm}}));
  const auto second = sent();
  EXPECT_EQ(wire::decode_header(second)->suite, kAes256Gcm);
  EXPECT_NE(wire::decode_header(second)->request_id, wire::decode_header(first)->request_id);
  EXPECT_EQ(request_in(second).token, wire::Token{7});
  // What went in the weaker suite is not used.
  ASSERT_TRUE(request_in(first).preshared_key && request_in(second).preshared_key);
  EXPECT_FALSE(request_in(first).preshared_key->equals(*request_in(second).preshared_key));
}

TEST_F(SuiteTest, F21AReplyInAnotherSuiteThanItsRequestIsDropped) {
  user_asks_up();
  const auto first = sent();
  auto in_the_other = first;
  in_the_other[6] = static_cast<std::uint8_t>(kAes256Gcm);
  deliver(reply_to(in_the_other, {.result = ResultCode::kOk}));
  EXPECT_EQ(dropped(wire::Drop::kUnsolicited), 1u);
}

TEST_F(SuiteTest, APeerThatContradictsItselfIsTold) {
  user_asks_up();
  deliver(reply_to(sent(), {.result = ResultCode::kSuite, .suites = {kXChaCha}}));
  const auto finished = take<FinishCommand>();
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].outcome.verdict, Verdict::kRefused);
  EXPECT_EQ(finished[0].outcome.text, "it refuses xchacha20poly1305, though that is the strongest that both allow");
}

TEST_F(SuiteTest, APeerOfALaterVersionWithNothingInCommonIsTold) {
  user_asks_up();
  deliver(reply_to(sent(), {.result = ResultCode::kSuite, .suites = {crypto::Suite{9}}}));
  const auto finished = take<FinishCommand>();
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].outcome.text,
            "this host allows xchacha20poly1305, aes256gcm, peer0 allows none that is known here");
}

TEST_F(SuiteTest, APeerThatChangesItsMindForEverIsGivenUp) {
  user_asks_up();
  unsigned asked = 0;
  for (auto sends = take<SendDatagram>(); !sends.empty() && asked < 100; ++asked) {
    const auto used = wire::decode_header(sends.back().bytes)->suite;
    const auto other = used == kXChaCha ? kAes256Gcm : kXChaCha;
    deliver(reply_to(sends.back().bytes, {.result = ResultCode::kSuite, .suites = {other}}));
    if (gate->view(index_of(0), now).state == SessionState::kFailed) break;
    sends = take<SendDatagram>();
  }
  EXPECT_EQ(gate->view(index_of(0), now).state, SessionState::kFailed);
  EXPECT_LT(asked, 10u);
}

}  // namespace
}  // namespace anubis::gate

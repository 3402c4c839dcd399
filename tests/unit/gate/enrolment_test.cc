// An invited host enrols, and can do nothing else: docs/protocol.md, section 13.
#include "lib/gate/enrolment.h"

#include <gmock/gmock.h>

#include "lib/gate/gatekeeper.h"
#include "lib/model/directory.h"

namespace anubis::gate {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using wire::Operation;

class EnrolmentTest : public testing::Test {
 protected:
  void SetUp() override {
    crypto::initialise();
    model::Peer invitation{.name = "petra:invitation",
                           .public_key = one_time().public_key(),
                           .side_address = *model::IpAddress::parse("fd77::8"),
                           .is_invitation = true};
    directory_.replace({std::move(invitation)});
    gate_ = std::make_unique<Gatekeeper>(Settings{.suites = crypto::available_suites()}, directory_, keys_,
                                         own_.public_key(), random_);
    wanted_.public_key.bytes[0] = 7;
    wanted_.side_public_key.bytes[0] = 8;
    wanted_.proof[0] = 9;
  }

  crypto::ProductionPrivateKey one_time() { return crypto::derive_production_key(secret_); }
  Enrolment client() { return std::move(*Enrolment::create(one_time(), own_.public_key(), wanted_, random_)); }

  // What the server sends when it is asked. Its executor says RESULT of whatever is to be enrolled.
  std::vector<wire::Datagram> ask(const wire::Datagram& datagram, const base::Status& result = {}) {
    gate_->receive(datagram, *model::IpAddress::parse("fd77::8"), 1234, now_);
    std::vector<wire::Datagram> sent;
    for (auto actions = gate_->take_actions(); !actions.empty(); actions = gate_->take_actions()) {
      for (Action& action : actions) {
        if (auto* datagram_out = std::get_if<SendDatagram>(&action)) sent.push_back(std::move(datagram_out->bytes));
        if (std::holds_alternative<InstallPeer>(action)) ++installs_;
        if (const auto* enrol = std::get_if<EnrolPeer>(&action)) {
          enrolled_.push_back(enrol->enrolment);
          gate_->enrolled(enrol->peer, enrol->ticket, result, now_);
        }
      }
    }
    return sent;
  }

  // Until the client knows.
  Enrolment::Progress play(Enrolment& client, const base::Status& result = {}) {
    for (int i = 0; i < 10; ++i) {
      const auto replies = ask(client.request(), result);
      if (replies.size() != 1) return Enrolment::Progress::kNothing;
      const auto progress = client.receive(replies[0]);
      if (progress != Enrolment::Progress::kAskAgain) return progress;
    }
    return Enrolment::Progress::kAskAgain;
  }

  base::SystemRandom random_;
  crypto::InvitationSecret secret_ = crypto::InvitationSecret::generate(random_);
  crypto::ProductionPrivateKey own_{crypto::generate_private_key(random_)};
  model::InMemoryDirectory directory_;
  LocalKeyAgreement keys_{own_, directory_};
  std::unique_ptr<Gatekeeper> gate_;
  wire::Enrolment wanted_;
  std::vector<wire::Enrolment> enrolled_;
  unsigned installs_ = 0;
  base::Time now_{std::chrono::seconds(100)};
};

TEST_F(EnrolmentTest, TheServerIsToldWhoWantsToBeEnrolledAndAnswers) {
  auto petra = client();
  EXPECT_EQ(play(petra), Enrolment::Progress::kEnrolled);
  EXPECT_THAT(enrolled_, testing::ElementsAre(wanted_));
  EXPECT_EQ(installs_, 0u);
}

TEST_F(EnrolmentTest, ALostReplyIsRepeatedWithoutASecondEnrolment) {
  auto petra = client();
  while (true) {
    const auto replies = ask(petra.request());
    ASSERT_THAT(replies, SizeIs(1));
    if (!enrolled_.empty()) break;
    ASSERT_EQ(petra.receive(replies[0]), Enrolment::Progress::kAskAgain);
  }
  const auto again = ask(petra.request());
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(petra.receive(again[0]), Enrolment::Progress::kEnrolled);
  EXPECT_THAT(enrolled_, SizeIs(1));
}

TEST_F(EnrolmentTest, ARefusalComesWithItsReason) {
  auto petra = client();
  EXPECT_EQ(play(petra, base::fail(base::ErrorCode::kPermission, "the invitation has expired")),
            Enrolment::Progress::kRefused);
  EXPECT_EQ(petra.reason(), "the invitation has expired");
}

TEST_F(EnrolmentTest, AnInvitationCanDoNothingElse) {
  auto keys = *crypto::derive_message_keys(crypto::Suite::kXChaCha20Poly1305, one_time(), one_time().public_key(),
                                           own_.public_key(), nullptr);
  for (const auto operation : {Operation::kUp, Operation::kDown, Operation::kStatus, Operation::kBye, Operation::kRenew,
                               Operation::kClients}) {
    const wire::Request request{
        .operation = operation, .token = {}, .suites = {crypto::Suite::kXChaCha20Poly1305}, .successor = {}};
    // The token first, from the server itself.
    std::optional<wire::Token> token;
    for (int i = 0; i < 2; ++i) {
      wire::Request asked = request;
      asked.token = token;
      asked.suites = crypto::available_suites();
      const auto suite = *crypto::best_common(asked.suites, asked.suites);
      keys = *crypto::derive_message_keys(suite, one_time(), one_time().public_key(), own_.public_key(), nullptr);
      const wire::Header header{.type = wire::MessageType::kRequest,
                                .suite = suite,
                                .request_id = random_.bytes<16>(),
                                .sender = one_time().public_key(),
                                .nonce = random_.bytes<crypto::kNonceSize>()};
      const auto replies =
          ask(wire::seal_message(header, keys.sending, wire::create_request(asked), wire::kRequestSize));
      ASSERT_THAT(replies, SizeIs(1));
      const auto reply =
          wire::consume_reply(*wire::open_message(*wire::decode_header(replies[0]), keys.receiving, replies[0]));
      ASSERT_TRUE(reply);
      if (token) {
        EXPECT_EQ(reply->result, wire::ResultCode::kDenied) << wire::name_of(operation);
        EXPECT_THAT(reply->text, HasSubstr("only lets its host join"));
      }
      token = reply->token;
    }
  }
  EXPECT_EQ(installs_, 0u);
  EXPECT_THAT(enrolled_, IsEmpty());
}

TEST_F(EnrolmentTest, APeerCannotEnrolAnybody) {
  model::Peer peer = *directory_.get(*directory_.find(one_time().public_key()));
  peer.is_invitation = false;
  directory_.replace({std::move(peer)});
  auto petra = client();
  EXPECT_EQ(play(petra), Enrolment::Progress::kRefused);
  EXPECT_THAT(petra.reason(), HasSubstr("a peer already"));
  EXPECT_THAT(enrolled_, IsEmpty());
}

TEST_F(EnrolmentTest, WhatIsNoAnswerIsNothing) {
  auto petra = client();
  auto other = client();
  const auto replies = ask(petra.request());
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(other.receive(replies[0]), Enrolment::Progress::kNothing);  // another's request id
  EXPECT_EQ(petra.receive(petra.request()), Enrolment::Progress::kNothing);
  EXPECT_EQ(petra.receive({}), Enrolment::Progress::kNothing);
  for (std::size_t i = 0; i < replies[0].size(); ++i) {
    auto damaged = replies[0];
    damaged[i] ^= 1;
    EXPECT_EQ(petra.receive(damaged), Enrolment::Progress::kNothing) << i;
  }
  EXPECT_EQ(petra.receive(replies[0]), Enrolment::Progress::kAskAgain);
}

}  // namespace
}  // namespace anubis::gate

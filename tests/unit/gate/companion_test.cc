// What a companion page may do, and what not: docs/protocol.md, 9.7.
#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/crypto/side_address.h"
#include "lib/gate/gatekeeper.h"
#include "lib/wire/reply.h"
#include "lib/wire/request.h"

namespace anubis::gate {
namespace {

using namespace std::chrono_literals;
using base::Time;
using testing::IsEmpty;
using testing::SizeIs;
using wire::Operation;
using wire::ResultCode;

constexpr auto kSuite = crypto::Suite::kXChaCha20Poly1305;

crypto::ProductionPrivateKey key_of(std::uint8_t fill) {
  base::Secret<crypto::kKeySize> secret;
  std::ranges::fill(secret.writable(), fill);
  return crypto::ProductionPrivateKey(std::move(secret));
}

model::Peer phone(std::string name, std::uint8_t fill, const crypto::ProductionPrivateKey& companion) {
  model::Peer peer;
  peer.name = std::move(name);
  peer.public_key = key_of(fill).public_key();
  peer.side_public_key = crypto::SidePublicKey(peer.public_key);
  peer.side_address = model::IpAddress::v6(crypto::derive_side_address(peer.side_public_key));
  peer.companion_key = crypto::CompanionPublicKey(companion.public_key());
  return peer;
}

// jacinth, and the pages of two phones in the hands of the test.
class CompanionTest : public testing::Test {
 protected:
  CompanionTest() {
    crypto::initialise();
    directory.replace({phone("selen", 2, selens), phone("beryl", 3, beryls)});
    selen = *directory.find_by_name("selen");
    selen_at = directory.get(selen)->side_address;
  }

  [[nodiscard]] crypto::MessageKeys keys_of(const crypto::ProductionPrivateKey& page) const {
    return *crypto::derive_message_keys(kSuite, page, page.public_key(), jacinth.public_key(), nullptr);
  }
  wire::Datagram sealed(const crypto::ProductionPrivateKey& page, const wire::Request& request) {
    return wire::seal_message({.request_id = {++ids}, .sender = page.public_key(), .nonce = {++nonces}},
                              keys_of(page).sending, wire::create_request(request), wire::kRequestSize);
  }
  wire::Datagram asks(Operation operation, std::optional<wire::Token> with_token) {
    return sealed(selens, {.operation = operation, .token = with_token, .suites = {kSuite}});
  }

  // Everything that the gate does about it, as an executor that succeeds.
  struct Done {
    std::vector<wire::Reply> replies;
    std::vector<InstallPeer> installed;
    std::vector<PeerIndex> removed;
    std::size_t datagrams = 0;
  };
  Done carry_out() {
    Done done;
    for (auto actions = gate.take_actions(); !actions.empty(); actions = gate.take_actions()) {
      for (Action& action : actions) {
        if (const auto* answer = std::get_if<AnswerCompanion>(&action)) {
          const auto header = wire::decode_header(answer->bytes);
          EXPECT_EQ(header->sender, jacinth.public_key());
          const auto payload = wire::open_message(*header, keys_of(selens).receiving, answer->bytes);
          done.replies.push_back(*wire::consume_reply(*payload));
          last_answer = answer->bytes;
        } else if (const auto* install = std::get_if<InstallPeer>(&action)) {
          done.installed.push_back(*install);
          gate.installed(install->peer, install->ticket, Installed{}, now);
        } else if (const auto* remove = std::get_if<RemovePeer>(&action)) {
          done.removed.push_back(remove->peer);
          gate.removed(remove->peer, remove->ticket, {}, now);
        } else if (std::holds_alternative<SendDatagram>(action)) {
          ++done.datagrams;
        }
      }
    }
    return done;
  }
  Done say(const wire::Datagram& message, const model::IpAddress& from) {
    gate.receive_from_companion(message, from, now);
    return carry_out();
  }
  Done say(const wire::Datagram& message) { return say(message, selen_at); }
  wire::Token token() { return say(asks(Operation::kStatus, std::nullopt)).replies.at(0).token; }
  [[nodiscard]] SessionState state() const { return gate.view(selen, now).state; }
  [[nodiscard]] std::uint64_t dropped(wire::Drop why) const {
    return gate.counters().dropped.at(static_cast<std::size_t>(why));
  }

  crypto::ProductionPrivateKey jacinth = key_of(1);
  crypto::ProductionPrivateKey selens = key_of(12);
  crypto::ProductionPrivateKey beryls = key_of(13);
  model::InMemoryDirectory directory;
  base::SystemRandom random;
  LocalKeyAgreement agreement{jacinth, directory};
  Gatekeeper gate{{.name = "jacinth"}, directory, agreement, jacinth.public_key(), random};
  PeerIndex selen{};
  model::IpAddress selen_at;
  wire::Datagram last_answer;
  std::uint8_t ids = 0;
  std::uint8_t nonces = 0;
  Time now{100s};
};

TEST_F(CompanionTest, BringsItsPeerUpAndDown) {
  const auto up = say(asks(Operation::kUp, token()));
  ASSERT_THAT(up.replies, SizeIs(1));
  EXPECT_EQ(up.replies[0].result, ResultCode::kOk);
  EXPECT_EQ(up.replies[0].state, SessionState::kUp);
  ASSERT_THAT(up.installed, SizeIs(1));
  EXPECT_EQ(up.installed[0].peer, selen);
  EXPECT_TRUE(up.installed[0].with_routes);
  EXPECT_FALSE(up.installed[0].initiate_handshake);
  EXPECT_EQ(state(), SessionState::kUp);
  EXPECT_EQ(up.datagrams, 0U);  // the phone's WireGuard has nobody who would read them

  const auto down = say(asks(Operation::kDown, up.replies[0].token));
  EXPECT_EQ(down.replies.at(0).result, ResultCode::kOk);
  EXPECT_EQ(down.replies.at(0).state, SessionState::kDown);
  EXPECT_THAT(down.removed, testing::ElementsAre(selen));
  EXPECT_EQ(state(), SessionState::kDown);
  EXPECT_EQ(down.datagrams, 0U);
}

TEST_F(CompanionTest, IsToldWhoItIs) {
  const auto told = say(asks(Operation::kStatus, token())).replies.at(0);
  EXPECT_EQ(told.responder_name, "jacinth");
  EXPECT_EQ(told.peer_name, "selen");
}

TEST_F(CompanionTest, TheConfiguredLeaseHolds) {
  model::Peer with_lease = phone("selen", 2, selens);
  with_lease.lease = 1h;
  directory.replace({with_lease});
  gate.peer_changed(selen, now);
  auto reply = say(asks(Operation::kUp, token())).replies.at(0);
  EXPECT_EQ(reply.lease, 1h);
  now += 40min;
  reply = say(asks(Operation::kRenew, reply.token)).replies.at(0);
  EXPECT_EQ(reply.result, ResultCode::kOk);
  EXPECT_EQ(reply.lease, 1h);
  now += 1h;
  gate.advance(now);
  EXPECT_THAT(carry_out().removed, testing::ElementsAre(selen));
  EXPECT_EQ(state(), SessionState::kDown);
  EXPECT_EQ(say(asks(Operation::kRenew, token())).replies.at(0).result, ResultCode::kNotUp);
}

TEST_F(CompanionTest, ItIsForItsOwnPeerAlone) {
  const auto current = token();
  // beryl's page through selen's tunnel, and selen's page through beryl's.
  EXPECT_THAT(say(sealed(beryls, {.operation = Operation::kUp, .token = current, .suites = {kSuite}})).replies,
              IsEmpty());
  EXPECT_THAT(say(asks(Operation::kUp, current), directory.get(*directory.find_by_name("beryl"))->side_address).replies,
              IsEmpty());
  EXPECT_EQ(dropped(wire::Drop::kSource), 2U);
  EXPECT_EQ(gate.sessions_up(), 0U);
}

TEST_F(CompanionTest, AKeyThatNobodyNamedIsDropped) {
  const auto stranger = key_of(14);
  EXPECT_THAT(say(sealed(stranger, {.operation = Operation::kUp, .suites = {kSuite}})).replies, IsEmpty());
  // Nor does it do to name selen's key and seal with another.
  auto forged = wire::seal_message({.sender = selens.public_key(), .nonce = {1}}, keys_of(stranger).sending,
                                   wire::create_request({.operation = Operation::kUp}), wire::kRequestSize);
  EXPECT_THAT(say(forged).replies, IsEmpty());
  EXPECT_EQ(dropped(wire::Drop::kUnknownSender), 1U);
  EXPECT_EQ(dropped(wire::Drop::kAuthentication), 1U);
}

// Each key has its own way: a thief of the link cannot pass for the peer, nor has the peer's own key a page.
TEST_F(CompanionTest, TheTwoKeysOfAPeerAreNotEachOther) {
  const auto message = asks(Operation::kUp, token());
  gate.receive(message, selen_at, 4298, now);
  EXPECT_EQ(carry_out().datagrams, 0U);
  const auto own = key_of(2);
  EXPECT_THAT(say(sealed(own, {.operation = Operation::kUp, .suites = {kSuite}})).replies, IsEmpty());
  EXPECT_EQ(dropped(wire::Drop::kUnknownSender), 2U);
  EXPECT_EQ(gate.sessions_up(), 0U);
}

TEST_F(CompanionTest, AReplayHasNoEffect) {
  const auto up = asks(Operation::kUp, token());
  const auto first = say(up);
  const auto answer = last_answer;
  const auto again = say(up);
  EXPECT_EQ(last_answer, answer);  // the identical answer,
  EXPECT_THAT(again.installed, IsEmpty());
  (void)say(asks(Operation::kDown, first.replies.at(0).token));
  const auto late = say(up);
  EXPECT_EQ(late.replies.at(0).result, ResultCode::kStale);
  EXPECT_THAT(late.installed, IsEmpty());
  EXPECT_EQ(state(), SessionState::kDown);
}

TEST_F(CompanionTest, AStaleRequestIsToldTheToken) {
  const auto stale = say(asks(Operation::kUp, wire::Token{1, 2, 3}));
  EXPECT_EQ(stale.replies.at(0).result, ResultCode::kStale);
  EXPECT_THAT(stale.installed, IsEmpty());
  EXPECT_EQ(say(asks(Operation::kUp, stale.replies[0].token)).replies.at(0).result, ResultCode::kOk);
}

TEST_F(CompanionTest, WhatIsForHostsIsDenied) {
  for (const Operation operation : {Operation::kBye, Operation::kClients}) {
    const auto done = say(asks(operation, token()));
    EXPECT_EQ(done.replies.at(0).result, ResultCode::kDenied) << wire::name_of(operation);
    EXPECT_THAT(done.removed, IsEmpty());
  }
}

// The page has no WireGuard. With a preshared key that the phone does not have, a thief of the link could shut it out.
TEST_F(CompanionTest, WhatIsWireGuardsIsIgnored) {
  base::Secret<crypto::kKeySize> secret;
  std::ranges::fill(secret.writable(), std::uint8_t{7});
  const auto done =
      say(sealed(selens, {.operation = Operation::kUp,
                          .token = token(),
                          .suites = {kSuite},
                          .listen_port = 4296,
                          .responder_initiates = true,
                          .preshared_key = std::make_shared<crypto::WireGuardPresharedKey>(std::move(secret))}));
  const InstallPeer& install = done.installed.at(0);
  EXPECT_FALSE(install.initiate_handshake);
  EXPECT_EQ(install.told_port, 0);
  EXPECT_EQ(install.installation, Installation::kKeep);
  ASSERT_NE(install.preshared_key, nullptr);
  EXPECT_TRUE(install.preshared_key->equals(*crypto::no_preshared_key()));
  EXPECT_FALSE(done.replies.at(0).preshared_key_id);
}

// A laptop with a companion: its own session goes on with the preshared key that it has.
TEST_F(CompanionTest, AnUpOfWhatIsUpLeavesThePresharedKeyAlone) {
  (void)say(asks(Operation::kUp, token()));
  const auto again = say(asks(Operation::kUp, token()));
  EXPECT_EQ(again.installed.at(0).preshared_key, nullptr);  // as it is
}

TEST_F(CompanionTest, HasItsPeersShareAndNoMore) {
  std::size_t answered = 0;
  for (int i = 0; i < 300; ++i) answered += say(asks(Operation::kStatus, std::nullopt)).replies.size();
  EXPECT_EQ(answered, 200U);
  EXPECT_EQ(dropped(wire::Drop::kRate), 100U);
}

TEST_F(CompanionTest, AReplyIsNoRequest) {
  const auto reply =
      wire::seal_message({.type = wire::MessageType::kReply, .sender = selens.public_key(), .nonce = {1}},
                         keys_of(selens).sending, wire::create_reply({.state = SessionState::kUp}), wire::kRequestSize);
  EXPECT_THAT(say(reply).replies, IsEmpty());
  EXPECT_EQ(dropped(wire::Drop::kUnsolicited), 1U);
}

TEST_F(CompanionTest, NoTruncationIsAnswered) {
  const auto message = asks(Operation::kStatus, std::nullopt);
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_THAT(say({message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size)}).replies, IsEmpty());
  }
}

TEST_F(CompanionTest, AKeyThatAReloadTookAwayIsGone) {
  const auto message = asks(Operation::kUp, token());
  model::Peer without = phone("selen", 2, selens);
  without.companion_key.reset();
  const auto changes = directory.replace({without});
  EXPECT_THAT(changes.changed, testing::ElementsAre(selen));
  gate.peer_changed(selen, now);
  EXPECT_THAT(say(message).replies, IsEmpty());
}

}  // namespace
}  // namespace anubis::gate

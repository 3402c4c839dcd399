// netd makes a peer of a host that was invited, and believes nobody: docs/protocol.md, section 13.3.
#include <chrono>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <poll.h>

#include "anubisd/netd/authority.h"
#include "lib/base/random.h"
#include "lib/config/write.h"
#include "lib/identity/template.h"
#include "tests/unit/config/folder.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

class EnrolmentTest : public testing::Test {
 protected:
  void SetUp() override {
    crypto::initialise();
    for (const char* name : {"a.key", "b.key"}) {
      const auto key = crypto::format_secret(crypto::generate_private_key(random_).view());
      folder_.write(name, {reinterpret_cast<const char*>(key.view().data()), key.view().size()});
    }
    folder_.write(
        "anubis.toml",
        identity::host_toml(
            {.name = "jacinth", .key_file = "a.key", .side_key_file = "b.key", .addresses = {}, .endpoint = {}}));
    invite(std::chrono::hours(1));
  }

  void invite(std::chrono::seconds good_for) {
    using namespace std::chrono;
    const auto now = duration_cast<seconds>(system_clock::now().time_since_epoch());
    folder_.write(
        "conf.d/petra.toml",
        "# by hand\n" + identity::invitation_toml({.name = "petra",
                                                   .public_key = crypto::derive_production_key(secret_).public_key(),
                                                   .side_public_key = crypto::derive_side_key(secret_).public_key(),
                                                   .proof_key = crypto::derive_proof_key(secret_),
                                                   .expires = (now + good_for).count(),
                                                   .allowed_ips = {*model::IpPrefix::parse("10.44.0.8/32")}}));
    auto loaded = Authority::load(folder_ / "anubis.toml");
    ASSERT_TRUE(loaded) << loaded.error().message;
    authority_ = std::move(*loaded);
  }

  Newcomer newcomer() {
    Newcomer made{crypto::ProductionPublicKey(fresh_key()), crypto::SidePublicKey(fresh_key()), {}};
    made.proof = crypto::prove(secret_, {"petra", made.public_key, made.side_public_key});
    return made;
  }
  crypto::PublicKey fresh_key() {
    return crypto::PrivateKey(crypto::generate_private_key(random_)).derive_public_key();
  }

  base::Status enrol(const Newcomer& who) {
    return authority_->enrol(*authority_->directory().find_by_name("petra:invitation"), who);
  }
  void expect_refused(const Newcomer& who, ErrorCode code, const char* says) {
    const std::string before = *config::read_text(folder_ / "conf.d/petra.toml");
    const auto status = enrol(who);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, code) << status.error().message;
    EXPECT_THAT(status.error().message, HasSubstr(says));
    EXPECT_EQ(*config::read_text(folder_ / "conf.d/petra.toml"), before);
  }
  // As anubisd has it done behind an enrolment.
  void reload() {
    auto loaded = Authority::load(folder_ / "anubis.toml");
    ASSERT_TRUE(loaded) << loaded.error().message;
    authority_ = std::move(*loaded);
  }

  config::Folder folder_;
  base::SystemRandom random_;
  crypto::InvitationSecret secret_ = crypto::InvitationSecret::generate(random_);
  std::unique_ptr<Authority> authority_;
};

TEST_F(EnrolmentTest, TheHostBecomesAPeerBesideItsInvitation) {
  const Newcomer petra = newcomer();
  const auto status = enrol(petra);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_THAT(*config::read_text(folder_ / "conf.d/petra.toml"), testing::StartsWith("# by hand\n[[invitation]]\n"));
  reload();
  const auto index = authority_->directory().find_by_name("petra");
  ASSERT_TRUE(index);
  const model::Peer& peer = *authority_->directory().get(*index);
  EXPECT_EQ(peer.public_key, petra.public_key);
  EXPECT_EQ(peer.side_public_key, petra.side_public_key);
  EXPECT_THAT(peer.allowed_ips, testing::ElementsAre(*model::IpPrefix::parse("10.44.0.8/32")));
  EXPECT_FALSE(peer.is_invitation);
  EXPECT_TRUE(authority_->directory().find_by_name("petra:invitation"));
}

TEST_F(EnrolmentTest, TheSameHostMayAskAgainBeforeAndAfterTheReload) {
  const Newcomer petra = newcomer();
  ASSERT_TRUE(enrol(petra));
  const std::string written = *config::read_text(folder_ / "conf.d/petra.toml");
  EXPECT_TRUE(enrol(petra));
  reload();
  EXPECT_TRUE(enrol(petra));
  EXPECT_EQ(*config::read_text(folder_ / "conf.d/petra.toml"), written);
}

TEST_F(EnrolmentTest, AnotherHostMayNotBeforeNorAfterTheReload) {
  ASSERT_TRUE(enrol(newcomer()));
  expect_refused(newcomer(), ErrorCode::kExists, "another host has joined");
  reload();
  expect_refused(newcomer(), ErrorCode::kExists, "another host has joined");
}

// What is read begins before the host has joined, and is taken after.
TEST_F(EnrolmentTest, AnotherHostMayNotWhileTheConfigurationIsBeingRead) {
  ASSERT_TRUE(authority_->begin_reload());
  pollfd read{authority_->loaded_fd(), POLLIN, 0};
  ASSERT_EQ(poll(&read, 1, 10'000), 1);
  const Newcomer petra = newcomer();
  ASSERT_TRUE(enrol(petra));
  ASSERT_TRUE(authority_->take_reload([](const model::DirectoryChanges&) { return base::Status(); }));
  expect_refused(newcomer(), ErrorCode::kExists, "another host has joined");
  EXPECT_TRUE(enrol(petra));
}

// Somebody took the peer out by hand, and left the invitation.
TEST_F(EnrolmentTest, WhoeverIsNoPeerAnyMoreDoesNotComeBackByIt) {
  ASSERT_TRUE(enrol(newcomer()));
  std::string text = *config::read_text(folder_ / "conf.d/petra.toml");
  text.erase(text.find("[[peer]]"));
  folder_.write("conf.d/petra.toml", text);
  reload();
  EXPECT_FALSE(authority_->directory().find_by_name("petra:invitation"));
  EXPECT_EQ(authority_->directory().size(), 0u);
}

TEST_F(EnrolmentTest, AFileThatSaysThatItWasUsedIsBelieved) {
  ASSERT_TRUE(enrol(newcomer()));
  const std::string used = *config::read_text(folder_ / "conf.d/petra.toml");
  invite(std::chrono::hours(1));
  folder_.write("conf.d/petra.toml", used);
  expect_refused(newcomer(), ErrorCode::kExists, "another host has joined");
}

TEST_F(EnrolmentTest, WithoutTheSecretNobodyIsEnrolled) {
  Newcomer forged = newcomer();
  forged.proof[10] ^= 1;
  expect_refused(forged, ErrorCode::kPermission, "the proof");
  forged = newcomer();
  forged.public_key = crypto::ProductionPublicKey(fresh_key());
  expect_refused(forged, ErrorCode::kPermission, "the proof");
  forged.proof =
      crypto::prove(crypto::InvitationSecret::generate(random_), {"petra", forged.public_key, forged.side_public_key});
  expect_refused(forged, ErrorCode::kPermission, "the proof");
  forged.proof = crypto::prove(secret_, {"xena", forged.public_key, forged.side_public_key});
  expect_refused(forged, ErrorCode::kPermission, "the proof");
}

TEST_F(EnrolmentTest, WhatHasExpiredIsOfNoUse) {
  invite(std::chrono::seconds(-1));
  expect_refused(newcomer(), ErrorCode::kPermission, "has expired");
}

// Else the configuration could not be read again, by nobody.
TEST_F(EnrolmentTest, KeysThatNoConfigurationMayHoldAreRefused) {
  const auto with_keys = [&](const crypto::PublicKey& production, const crypto::PublicKey& side) {
    Newcomer made{crypto::ProductionPublicKey(production), crypto::SidePublicKey(side), {}};
    made.proof = crypto::prove(secret_, {"petra", made.public_key, made.side_public_key});
    return made;
  };
  const auto key = fresh_key();
  const auto page = fresh_key();
  folder_.write("conf.d/selen.toml",
                "[[peer]]\nname = \"selen\"\nplain = true\nallowed_ips = [\"10.44.0.9/32\"]\npublic_key = \"" +
                    fresh_key().to_base64() + "\"\ncompanion_key = \"" + page.to_base64() + "\"\n");
  reload();
  expect_refused(with_keys(key, page), ErrorCode::kExists, "one of these keys");
  expect_refused(with_keys({}, fresh_key()), ErrorCode::kPermission, "no keys that a host can have");
  expect_refused(with_keys(fresh_key(), {}), ErrorCode::kPermission, "no keys that a host can have");
  expect_refused(with_keys(key, key), ErrorCode::kPermission, "no keys that a host can have");
  expect_refused(with_keys(authority_->config().production.public_key, key), ErrorCode::kExists, "one of these keys");
  expect_refused(with_keys(key, authority_->config().side.public_key), ErrorCode::kExists, "one of these keys");
  expect_refused(with_keys(key, crypto::derive_side_key(secret_).public_key()), ErrorCode::kExists,
                 "one of these keys");
}

TEST_F(EnrolmentTest, APeerIsNoInvitation) {
  ASSERT_TRUE(enrol(newcomer()));
  reload();
  const auto petra = authority_->directory().find_by_name("petra");
  ASSERT_TRUE(petra);
  for (const PeerIndex index : {*petra, PeerIndex{99}}) {
    const auto status = authority_->enrol(index, newcomer());
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message, "that is no invitation");
  }
}

TEST_F(EnrolmentTest, ARevokedFileIsNotMadeAnew) {
  std::filesystem::remove(folder_ / "conf.d/petra.toml");
  EXPECT_FALSE(enrol(newcomer()));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "conf.d/petra.toml"));
}

}  // namespace
}  // namespace anubis::netd

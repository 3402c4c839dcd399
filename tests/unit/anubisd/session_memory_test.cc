#include "anubisd/session_memory.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/anubisd/folder.h"
#include "tests/unit/anubisd/loop_fixture.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class SessionMemoryTest : public LoopTest {
 protected:
  void SetUp() override {
    model::Peer peer{.name = "jacinth"};
    peer.public_key = key;
    jacinth = directory.replace({peer}).added.at(0);
  }
  // What the next daemon finds.
  RememberedSessions left() { return SessionMemory(loop_, directory, file).load(base::BootClock::now()); }

  const crypto::ProductionPublicKey key{*crypto::parse_public_key("CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")};
  const gate::Remembered facts{.initiator = true, .since = base::BootClock::now()};
  Folder folder;
  const std::filesystem::path file = folder / "sessions";
  model::InMemoryDirectory directory;
  model::PeerIndex jacinth{};
};

TEST_F(SessionMemoryTest, ASessionIsRememberedForTheNextDaemonUntilItIsForgotten) {
  SessionMemory memory(loop_, directory, file);
  EXPECT_THAT(memory.load(base::BootClock::now()), IsEmpty());
  memory.remember({jacinth, facts});
  EXPECT_TRUE(run_until([&] { return std::filesystem::exists(file); }));
  EXPECT_THAT(left(), ElementsAre(Pair(key, facts)));
  struct stat about{};
  ASSERT_EQ(stat(file.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0600u);
  memory.remember({jacinth, std::nullopt});
  memory.flush();
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(SessionMemoryTest, WhatIsNotAdoptedIsForgotten) {
  SessionMemory before(loop_, directory, file);
  (void)before.load(base::BootClock::now());
  before.remember({jacinth, facts});
  before.flush();
  SessionMemory memory(loop_, directory, file);
  EXPECT_THAT(memory.load(base::BootClock::now()), ElementsAre(Pair(key, facts)));
  memory.flush();
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(SessionMemoryTest, AMalformedFileIsIgnoredWithAWarning) {
  std::ofstream(file) << "something else\n";
  testing::internal::CaptureStderr();
  EXPECT_THAT(left(), IsEmpty());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("session.memory-ignored"));
}

TEST_F(SessionMemoryTest, AFileThatCannotBeWrittenIsAWarning) {
  SessionMemory memory(loop_, directory, (folder / "missing") / "sessions");
  (void)memory.load(base::BootClock::now());
  memory.remember({jacinth, facts});
  testing::internal::CaptureStderr();
  memory.flush();
  memory.flush();  // tried again, but not told again
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("session.memory-not-written"));
  EXPECT_EQ(said.find("session.memory-not-written"), said.rfind("session.memory-not-written"));
}

}  // namespace
}  // namespace anubis::daemon

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
  std::string written() {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  // What the next daemon finds.
  RememberedSessions left() { return SessionMemory(loop_, directory, file).load(base::BootClock::now()); }

  const crypto::ProductionPublicKey key{*crypto::parse_public_key("CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")};
  const gate::Remembered facts{.up = true, .since = base::BootClock::now(), .wish = gate::Wish{.fulfilled = true}};
  Folder folder;
  const std::filesystem::path file = folder / "sessions";
  model::InMemoryDirectory directory;
  model::PeerIndex jacinth{};
};

TEST_F(SessionMemoryTest, ASessionIsRememberedForTheNextDaemonUntilItIsForgotten) {
  SessionMemory memory(loop_, directory, file);
  EXPECT_THAT(memory.load(base::BootClock::now()), IsEmpty());
  memory.remember({jacinth, facts});
  // At once: however the daemon ends, nothing is forgotten.
  EXPECT_THAT(written(), testing::EndsWith(format_session(key, facts)));
  struct stat about{};
  ASSERT_EQ(stat(file.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0600u);
  memory.remember({jacinth, std::nullopt});
  EXPECT_THAT(written(), testing::EndsWith(format_session(key, std::nullopt)));
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(SessionMemoryTest, WhoeverIsNoLongerAuthorisedIsForgotten) {
  SessionMemory before(loop_, directory, file);
  (void)before.load(base::BootClock::now());
  before.remember({jacinth, facts});
  directory.replace({});
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(SessionMemoryTest, AnEndIsRememberedOfAPeerThatTheDirectoryHasDropped) {
  SessionMemory memory(loop_, directory, file);
  (void)memory.load(base::BootClock::now());
  memory.remember({jacinth, facts});
  directory.replace({});
  memory.remember({jacinth, std::nullopt});
  EXPECT_THAT(written(), testing::EndsWith(format_session(key, std::nullopt)));
}

TEST_F(SessionMemoryTest, AJournalDoesNotGrowForEver) {
  SessionMemory memory(loop_, directory, file);
  (void)memory.load(base::BootClock::now());
  for (int i = 0; i < 3000; ++i) {
    gate::Remembered changed = facts;
    changed.renewing = i % 2 == 0;
    memory.remember({jacinth, changed});
  }
  EXPECT_LT(std::filesystem::file_size(file), 1100u * 128);
  EXPECT_THAT(left(), ElementsAre(Pair(key, facts)));
}

TEST_F(SessionMemoryTest, ALineThatWasBeingWrittenAtTheEndIsNone) {
  {
    SessionMemory memory(loop_, directory, file);
    (void)memory.load(base::BootClock::now());
    memory.remember({jacinth, facts});
  }
  std::ofstream(file, std::ios::app) << key.to_base64() << " go";
  testing::internal::CaptureStderr();
  EXPECT_THAT(left(), ElementsAre(Pair(key, facts)));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), IsEmpty());
}

TEST_F(SessionMemoryTest, AMalformedFileIsIgnoredWithAWarning) {
  std::ofstream(file) << "something else\n";
  testing::internal::CaptureStderr();
  EXPECT_THAT(left(), IsEmpty());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("session.memory-ignored"));
}

TEST_F(SessionMemoryTest, AFileThatCannotBeWrittenIsAWarningOnce) {
  testing::internal::CaptureStderr();
  SessionMemory memory(loop_, directory, (folder / "missing") / "sessions");
  (void)memory.load(base::BootClock::now());
  memory.remember({jacinth, facts});
  memory.remember({jacinth, std::nullopt});  // tried again, but not told again
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("session.memory-not-written"));
  EXPECT_EQ(said.find("session.memory-not-written"), said.rfind("session.memory-not-written"));
}

}  // namespace
}  // namespace anubis::daemon

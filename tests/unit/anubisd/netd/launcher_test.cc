#include "anubisd/netd/launcher.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/anubisd/folder.h"

namespace anubis::netd {
namespace {

using daemon::Folder;
using testing::HasSubstr;

bool ends_soon(const base::Fd& pidfd) {
  pollfd waiting{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, 5000) == 1;
}

class LauncherTest : public testing::Test {
 protected:
  void serve(const std::string& program) {
    auto ends = Channel::create_pair();
    launcher_.emplace(std::nullopt, std::move(ends->first), LaunchableInterfaces{"wg0", "anubis0"});
    thread_ = std::thread([program, theirs = std::move(ends->second)]() mutable {
      wireguard::DirectLauncher direct(program);
      serve_launches(theirs, direct, {"wg0", "anubis0"});
    });
  }
  ~LauncherTest() override {
    launcher_.reset();
    if (thread_.joinable()) thread_.join();
  }

  std::optional<RemoteLauncher> launcher_;

 private:
  std::thread thread_;
};

TEST_F(LauncherTest, StartsTheProgramAndSaysHowItEnded) {
  serve("false");  // which ends with 1
  const auto launched = launcher_->launch("anubis0");
  ASSERT_TRUE(launched) << launched.error().message;
  ASSERT_TRUE(ends_soon(launched->pidfd));
  const auto status = launcher_->take_status(launched->pid);
  ASSERT_TRUE(status);
  EXPECT_TRUE(WIFEXITED(*status));
  EXPECT_EQ(WEXITSTATUS(*status), 1);
  EXPECT_EQ(launcher_->take_status(launched->pid), std::nullopt);
}

TEST_F(LauncherTest, BothInterfacesHaveTheirOwn) {
  serve("true");
  const auto first = launcher_->launch("wg0");
  const auto second = launcher_->launch("anubis0");
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->pid, second->pid);
  ASSERT_TRUE(ends_soon(first->pidfd) && ends_soon(second->pidfd));
  EXPECT_EQ(launcher_->take_status(second->pid), 0);
  EXPECT_EQ(launcher_->take_status(first->pid), 0);
}

TEST_F(LauncherTest, ItsWordsAreHeard) {
  serve("cat");  // which does not know -f
  const auto launched = launcher_->launch("wg0");
  ASSERT_TRUE(launched);
  ASSERT_TRUE(ends_soon(launched->pidfd));
  std::array<char, 64> words{};
  EXPECT_GT(pread(launched->words.get(), words.data(), words.size() - 1, 0), 0);
  EXPECT_THAT(words.data(), HasSubstr("cat"));
}

TEST_F(LauncherTest, AFailureIsTold) {
  serve("no-such-program");
  const auto launched = launcher_->launch("wg0");
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().code, base::ErrorCode::kNotFound);
  EXPECT_THAT(launched.error().message, HasSubstr("install wireguard-go"));
}

// Its link is not known as ours yet: the next netd would take it for somebody else's.
TEST_F(LauncherTest, F40WhatNetdHasNotKeptEndsWithIt) {
  const Folder folder;
  const auto program = folder / "serves";
  std::ofstream(program) << "#!/bin/sh\nexec sleep 60\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  serve(program);
  const auto kept = launcher_->launch("wg0");
  const auto other = launcher_->launch("anubis0");
  ASSERT_TRUE(kept && other);
  EXPECT_TRUE(launcher_->keep(kept->pid));
  launcher_.reset();
  EXPECT_TRUE(ends_soon(other->pidfd));
  EXPECT_EQ(kill(kept->pid, 0), 0);
  siginfo_t how{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(kept->pid), &how, WEXITED | WNOHANG | WNOWAIT), 0);
  EXPECT_EQ(how.si_pid, 0) << "it has ended";
  EXPECT_EQ(kill(kept->pid, SIGKILL), 0);
  EXPECT_TRUE(ends_soon(kept->pidfd));
  for (const pid_t pid : {kept->pid, other->pid}) EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
}

TEST_F(LauncherTest, OtherInterfacesAreNotEvenAskedFor) {
  serve("true");
  EXPECT_FALSE(launcher_->launch("eth0"));
}

TEST(Launcher, AnythingElseEndsIt) {
  const std::array<std::array<std::uint8_t, 8>, 4> requests{{{0, 0}, {4, 0}, {1, 2}, {1, 0, 1}}};
  for (const auto& request : requests) {
    auto ends = Channel::create_pair();
    std::thread thread([theirs = std::move(ends->second)]() mutable {
      wireguard::DirectLauncher direct("true");
      serve_launches(theirs, direct, {"wg0", "anubis0"});
      Channel gone = std::move(theirs);
    });
    ASSERT_TRUE(ends->first.send(request));
    thread.join();
    std::array<std::uint8_t, 512> answer{};
    const auto received = ends->first.receive(answer);
    EXPECT_TRUE(received && received->size == 0);
  }
}

}  // namespace
}  // namespace anubis::netd

// Starting and watching the userspace implementation: with scripts in its place, and with wireguard-go as root.
#include "lib/wireguard/userspace_process.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/wireguard/backend.h"

namespace anubis::wireguard {
namespace {

using base::ErrorCode;

bool becomes_readable(int descriptor, int milliseconds) {
  pollfd poll_for{.fd = descriptor, .events = POLLIN, .revents = 0};
  return poll(&poll_for, 1, milliseconds) == 1;
}

class UserspaceProcessTest : public ::testing::Test {
 protected:
  UserspaceProcessTest() {
    char pattern[] = "/tmp/anubis-process.XXXXXX";
    directory_ = mkdtemp(pattern);
  }
  ~UserspaceProcessTest() override { std::filesystem::remove_all(directory_); }

  std::string script(std::string_view text) {
    const auto path = directory_ + "/program";
    std::ofstream(path) << "#!/bin/sh\n" << text;
    chmod(path.c_str(), 0755);
    return path;
  }
  base::Result<UserspaceProcess> start(const std::string& program) { return start("anubistest0", program); }
  base::Result<UserspaceProcess> start(const std::string& interface, const std::string& program) {
    launcher_.emplace(program);
    return UserspaceProcess::adopt_or_start(interface, *launcher_, directory_);
  }
  std::string read(const std::string& name) {
    std::ifstream file(directory_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string directory_;
  std::optional<DirectLauncher> launcher_;
};

TEST_F(UserspaceProcessTest, MissingProgramSaysWhatToInstall) {
  const auto result = start("no-such-wireguard");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  EXPECT_NE(result.error().message.find("install wireguard-go"), std::string::npos) << result.error().message;
}

TEST_F(UserspaceProcessTest, ProgramThatEndsAtOnceIsQuoted) {
  const auto result = start(script("echo 'cannot open /dev/net/tun' >&2; exit 3\n"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kIo);
  EXPECT_NE(result.error().message.find("status 3"), std::string::npos) << result.error().message;
  EXPECT_NE(result.error().message.find("cannot open /dev/net/tun"), std::string::npos) << result.error().message;
}

TEST_F(UserspaceProcessTest, ProgramThatTalksWithoutEndIsHeardForAPageAndNotKilled) {
  const auto result =
      start(script("i=0\n"
                   "while [ $i -lt 2000 ]; do echo words, words >&2 || exit 5; i=$((i+1)); done\n"
                   "exit 4\n"));
  ASSERT_FALSE(result);
  // Its write fails, it is not ended by a signal, and nothing grows.
  EXPECT_NE(result.error().message.find("status 5"), std::string::npos) << result.error().message;
  EXPECT_NE(result.error().message.find("words, words"), std::string::npos) << result.error().message;
  EXPECT_LT(result.error().message.size(), 1000u);
}

TEST_F(UserspaceProcessTest, NothingOfOursIsInherited) {
  setenv("ANUBIS_TEST_SECRET", "hunter2", 1);
  const int left_open = open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  ASSERT_GE(left_open, 0);
  EXPECT_FALSE(start(script("env > " + directory_ +
                            "/env\n"
                            "ls /proc/$$/fd > " +
                            directory_ +
                            "/fd\n"
                            "cut -d' ' -f5,6 /proc/$$/stat > " +
                            directory_ + "/session; echo $$ > " + directory_ +
                            "/pid\n"
                            "echo \"$@\" > " +
                            directory_ + "/arguments\n")));
  close(left_open);
  unsetenv("ANUBIS_TEST_SECRET");
  EXPECT_EQ(read("arguments"), "-f anubistest0\n");
  EXPECT_EQ(read("env").find("hunter2"), std::string::npos);
  EXPECT_NE(read("env").find("PATH="), std::string::npos);
  const auto pid = read("pid").substr(0, read("pid").size() - 1);
  EXPECT_EQ(read("session"), pid + " " + pid + "\n");  // leads a group and a session of its own
  // The shell itself keeps its script open, on 10 or so; nothing else above the three.
  EXPECT_EQ(read("fd").find(std::to_string(left_open) + "\n"), std::string::npos) << read("fd");
}

TEST_F(UserspaceProcessTest, InterfaceOfSomebodyElseIsLeftAlone) {
  const auto result = start("lo", script("touch " + directory_ + "/started\n"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kExists);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/started"));
}

TEST_F(UserspaceProcessTest, ImplementationIsTakenFromTheEnvironment) {
  setenv("WG_QUICK_USERSPACE_IMPLEMENTATION", "other-wireguard", 1);
  EXPECT_EQ(userspace_implementation(), "other-wireguard");
  setenv("WG_QUICK_USERSPACE_IMPLEMENTATION", "", 1);
  EXPECT_EQ(userspace_implementation(), "wireguard-go");
  unsetenv("WG_QUICK_USERSPACE_IMPLEMENTATION");
  EXPECT_EQ(userspace_implementation(), "wireguard-go");
}

class WireguardGoProcess : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto status = enter_private_network(); !status) GTEST_SKIP() << status.error().message;
    auto started = UserspaceProcess::adopt_or_start(kInterface, go_);
    if (!started && started.error().code == ErrorCode::kNotFound) GTEST_SKIP() << started.error().message;
    ASSERT_TRUE(started) << started.error().message;
    process_.emplace(std::move(*started));
  }
  void TearDown() override {
    if (process_) (void)process_->terminate();
  }

  static constexpr const char* kInterface = "wgtest0";
  DirectLauncher go_{"wireguard-go"};
  DirectLauncher none_{"no-such-wireguard"};
  std::optional<UserspaceProcess> process_;
};

TEST_F(WireguardGoProcess, RunsWithItsLink) {
  EXPECT_FALSE(process_->was_adopted());
  EXPECT_GT(process_->pid(), 0);
  EXPECT_NE(if_nametoindex(kInterface), 0u);
  EXPECT_FALSE(becomes_readable(process_->pidfd(), 0));
  EXPECT_EQ(process_->take_end(), std::nullopt);
}

TEST_F(WireguardGoProcess, F41RunningOneIsAdopted) {
  auto adopted = UserspaceProcess::adopt_or_start(kInterface, none_);
  ASSERT_TRUE(adopted) << adopted.error().message;
  EXPECT_TRUE(adopted->was_adopted());
  EXPECT_EQ(adopted->pid(), process_->pid());
  ASSERT_TRUE(process_->terminate());
  process_.reset();
  // The end of an adopted process is told as well.
  ASSERT_TRUE(becomes_readable(adopted->pidfd(), 30'000));
  EXPECT_TRUE(adopted->take_end());
}

TEST_F(WireguardGoProcess, DeathIsToldAndALeftoverSocketFileDoesNotMatter) {
  ASSERT_EQ(kill(process_->pid(), SIGKILL), 0);
  ASSERT_TRUE(becomes_readable(process_->pidfd(), 30'000));
  const auto end = process_->take_end();
  ASSERT_TRUE(end);
  EXPECT_NE(end->find("signal 9"), std::string::npos) << *end;
  EXPECT_TRUE(std::filesystem::exists(uapi_socket_path(kUapiDirectory, kInterface)));
  process_.reset();
  auto again = UserspaceProcess::adopt_or_start(kInterface, go_);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_FALSE(again->was_adopted());
  process_.emplace(std::move(*again));
}

TEST_F(WireguardGoProcess, SocketOfAnotherNetworkNamespaceIsAConflict) {
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  const auto result = UserspaceProcess::adopt_or_start(kInterface, go_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kConflict);
  EXPECT_NE(result.error().message.find(std::to_string(process_->pid())), std::string::npos) << result.error().message;
  // Even when there is a link of that name here: it is not the one behind the socket.
  const base::Fd tun(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  ifreq request{};
  std::string_view(kInterface).copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN;
  ASSERT_EQ(ioctl(tun.get(), TUNSETIFF, &request), 0);
  ASSERT_NE(if_nametoindex(kInterface), 0u);
  const auto again = UserspaceProcess::adopt_or_start(kInterface, go_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);
}

}  // namespace
}  // namespace anubis::wireguard

#include "anubisd/control/credentials.h"

#include <array>

#include <gmock/gmock.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"

namespace anubis::daemon {
namespace {

constexpr uid_t kSomebody = 54321;
constexpr uid_t kOwn = 54322;
constexpr gid_t kTheirs = 54323;
constexpr gid_t kOther = 54324;
constexpr gid_t kAnubis = 54325;

TEST(Credentials, RootAndOurselvesMayCommandWhateverTheGroup) {
  EXPECT_TRUE(may_command({.uid = 0, .gid = 0}, kOwn, kAnubis));
  EXPECT_TRUE(may_command({.uid = 0, .gid = 0}, kOwn, std::nullopt));
  EXPECT_TRUE(may_command({.uid = kOwn, .gid = kTheirs}, kOwn, std::nullopt));
}

TEST(Credentials, MembersOfTheGroupMayCommand) {
  EXPECT_TRUE(may_command({.uid = kSomebody, .gid = kAnubis}, kOwn, kAnubis));
  EXPECT_TRUE(may_command({.uid = kSomebody, .gid = kTheirs, .groups = {kOther, kAnubis}}, kOwn, kAnubis));
}

TEST(Credentials, F62OthersMayNot) {
  EXPECT_FALSE(may_command({.uid = kSomebody, .gid = kTheirs, .groups = {kOther}}, kOwn, kAnubis));
  EXPECT_FALSE(may_command({.uid = kSomebody, .gid = kTheirs}, kOwn, kAnubis));
}

TEST(Credentials, WithoutTheGroupNobodyElseMay) {
  EXPECT_FALSE(may_command({.uid = kSomebody, .gid = kAnubis, .groups = {0}}, kOwn, std::nullopt));
}

TEST(Credentials, AreThoseOfThisProcess) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const base::Fd one(ends[0]);
  const base::Fd other(ends[1]);
  const auto credentials = credentials_of(one.get());
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_EQ(credentials->uid, geteuid());
  EXPECT_EQ(credentials->gid, getegid());
}

// Real credentials of a real process: more supplementary groups than the first buffer holds.
TEST(Credentials, HoldEverySupplementaryGroup) {
  if (geteuid() != 0) GTEST_SKIP() << "setgroups needs root";
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  ASSERT_EQ(close(ends[0]), 0);
  ASSERT_EQ(close(ends[1]), 0);

  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::vector<gid_t> many;
    for (gid_t each = 1000; each < 1100; ++each) many.push_back(each);
    many.push_back(kAnubis);
    const bool became_other = setgroups(many.size(), many.data()) == 0 && setgid(kTheirs) == 0 &&
                              setuid(kSomebody) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0;
    if (!became_other) _exit(1);
    const auto credentials = credentials_of(ends[0]);
    if (!credentials || credentials->uid != kSomebody || credentials->gid != kTheirs) _exit(2);
    if (credentials->groups.size() != many.size()) _exit(3);
    _exit(may_command(*credentials, kOwn, kAnubis) && !may_command(*credentials, kOwn, kOther) ? 0 : 4);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace anubis::daemon

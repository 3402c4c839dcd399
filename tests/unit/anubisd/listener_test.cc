#include "anubisd/control/listener.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "anubisd/instance_lock.h"
#include "tests/unit/anubisd/folder.h"

namespace anubis::daemon {
namespace {

using testing::HasSubstr;

int connect_to(const std::filesystem::path& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const base::Fd fd(socket(AF_UNIX, SOCK_STREAM, 0));
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

struct stat status_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
  return status;
}

TEST(ControlListener, MakesItsFolderAndASocketForItsGroup) {
  const Folder folder;
  const auto path = folder / "run" / "control.sock";
  const gid_t group = getegid();
  const auto listener = ControlListener::bind(path, group);
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_EQ(status_of(path).st_mode & 07777, 0660);
  EXPECT_EQ(status_of(path).st_gid, group);
  EXPECT_EQ(status_of(folder / "run").st_mode & 07777, 0755);
}

TEST(ControlListener, WithoutAGroupItIsForRootAlone) {
  const Folder folder;
  const auto listener = ControlListener::bind(folder / "control.sock", std::nullopt);
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_EQ(status_of(folder / "control.sock").st_mode & 07777, 0600);
}

TEST(ControlListener, RefusesClientsUntilItListensAndIsGoneAfterwards) {
  const Folder folder;
  const auto path = folder / "control.sock";
  {
    auto listener = ControlListener::bind(path, std::nullopt);
    ASSERT_TRUE(listener);
    EXPECT_EQ(connect_to(path), ECONNREFUSED);
    ASSERT_TRUE(listener->listen());
    EXPECT_EQ(connect_to(path), 0);
  }
  EXPECT_EQ(connect_to(path), ENOENT);
}

TEST(ControlListener, LeavesASocketAloneWhereAnotherDaemonAnswers) {
  const Folder folder;
  const auto path = folder / "control.sock";
  auto first = ControlListener::bind(path, std::nullopt);
  ASSERT_TRUE(first);
  ASSERT_TRUE(first->listen());
  const auto second = ControlListener::bind(path, std::nullopt);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, base::ErrorCode::kExists);
  EXPECT_THAT(second.error().message, HasSubstr("another anubisd answers at " + path.string()));
  EXPECT_EQ(connect_to(path), 0);
}

TEST(ControlListener, ReplacesTheSocketOfADaemonThatWasKilled) {
  const Folder folder;
  const auto path = folder / "control.sock";
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  {
    const base::Fd killed(socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(bind(killed.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(killed.get(), 1), 0);
  }
  ASSERT_EQ(connect_to(path), ECONNREFUSED);
  auto listener = ControlListener::bind(path, std::nullopt);
  ASSERT_TRUE(listener) << listener.error().message;
  ASSERT_TRUE(listener->listen());
  EXPECT_EQ(connect_to(path), 0);
}

TEST(ControlListener, TouchesNothingThatIsNoSocket) {
  const Folder folder;
  const auto path = folder / "control.sock";
  std::ofstream(path) << "precious";
  const auto listener = ControlListener::bind(path, std::nullopt);
  ASSERT_FALSE(listener);
  EXPECT_THAT(listener.error().message, HasSubstr("is no socket"));
  EXPECT_TRUE(S_ISREG(status_of(path).st_mode));
}

TEST(ControlListener, DoesNotRemoveTheSocketOfItsSuccessor) {
  const Folder folder;
  const auto path = folder / "control.sock";
  auto first = ControlListener::bind(path, std::nullopt);
  ASSERT_TRUE(first);
  auto second = ControlListener::bind(path, std::nullopt);  // the first does not listen: it looks dead
  ASSERT_TRUE(second) << second.error().message;
  ASSERT_TRUE(second->listen());
  first = base::fail(base::ErrorCode::kInternal, "gone");
  EXPECT_EQ(connect_to(path), 0);
}

TEST(ControlListener, SaysThatAPathIsTooLong) {
  const Folder folder;
  const auto listener = ControlListener::bind(folder / std::string(120, 'x'), std::nullopt);
  ASSERT_FALSE(listener);
  EXPECT_THAT(listener.error().message, HasSubstr("at most 107 characters"));
}

TEST(InstanceLock, KeepsASecondDaemonAwayUntilTheFirstHasGone) {
  const Folder folder;
  auto first = lock_state_directory(folder / "state");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(status_of(folder / "state").st_mode & 07777, 0700);
  const auto second = lock_state_directory(folder / "state");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, base::ErrorCode::kExists);
  EXPECT_THAT(second.error().message, HasSubstr("another anubisd uses"));
  first->reset();
  EXPECT_TRUE(lock_state_directory(folder / "state"));
}

}  // namespace
}  // namespace anubis::daemon

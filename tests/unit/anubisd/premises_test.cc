#include "anubisd/premises.h"

#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anubisd/instance_lock.h"
#include "tests/unit/anubisd/folder.h"

namespace anubis::daemon {
namespace {

constexpr const char* kSomebody = "nobody";  // every system has it

class MakeRoomForTest : public testing::Test {
 protected:
  base::Result<std::optional<sandbox::User>> make_room(const std::string& user) {
    auto lock = lock_state_directory(state_);
    if (!lock) return base::fail(lock.error());
    auto premises = occupy(std::move(*lock), state_, folder_ / "control.sock", "root");
    if (!premises) return base::fail(premises.error());
    return make_room_for(user, *premises);
  }
  static uid_t owner(const std::filesystem::path& path) {
    struct stat status{};
    EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
    return status.st_uid;
  }

  Folder folder_;
  const std::filesystem::path state_ = folder_ / "state";
};

TEST_F(MakeRoomForTest, NobodyButRootBecomesAnybody) {
  if (geteuid() == 0) GTEST_SKIP() << "root does";
  const auto user = make_room(kSomebody);
  ASSERT_TRUE(user) << user.error().message;
  EXPECT_FALSE(*user);
}

TEST_F(MakeRoomForTest, WithoutTheUserRootStays) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  testing::internal::CaptureStderr();
  const auto user = make_room("anubis-has-no-such-user");
  EXPECT_NE(testing::internal::GetCapturedStderr().find("sandbox.still-root"), std::string::npos);
  ASSERT_TRUE(user) << user.error().message;
  EXPECT_FALSE(*user);
  EXPECT_EQ(owner(state_), 0u);
}

TEST_F(MakeRoomForTest, TheUserGetsTheStateDirectoryWithWhatRootHasLeftThere) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(mkdir(state_.c_str(), 0700), 0);
  std::ofstream(state_ / "sessions") << "x";
  std::ofstream(state_ / "not-ours") << "x";
  const auto user = make_room(kSomebody);
  ASSERT_TRUE(user) << user.error().message;
  ASSERT_TRUE(*user);
  for (const auto& path : {state_, state_ / "anubisd.lock", state_ / "sessions"}) {
    EXPECT_EQ(owner(path), (*user)->uid) << path;
  }
  EXPECT_EQ(owner(state_ / "not-ours"), 0u);
  EXPECT_TRUE(make_room(kSomebody));  // the next start
}

// What the user could have put there must not become the user's by our doing.
TEST_F(MakeRoomForTest, LinksOfTheUsersAreNotFollowed) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_TRUE(make_room(kSomebody));
  std::ofstream(folder_ / "precious") << "x";
  std::filesystem::remove(state_ / "anubisd.lock");
  std::filesystem::create_hard_link(folder_ / "precious", state_ / "anubisd.lock");
  std::filesystem::create_hard_link(folder_ / "precious", state_ / "sessions");
  ASSERT_TRUE(make_room(kSomebody));
  EXPECT_EQ(owner(folder_ / "precious"), 0u);
}

TEST_F(MakeRoomForTest, ADirectoryThatIsOpenToOthersIsNotGivenAway) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(mkdir(state_.c_str(), 0700), 0);
  ASSERT_EQ(chmod(state_.c_str(), 0777), 0);
  const auto user = make_room(kSomebody);
  ASSERT_FALSE(user);
  EXPECT_EQ(user.error().code, base::ErrorCode::kPermission);
  EXPECT_NE(user.error().message.find("chmod 700"), std::string::npos) << user.error().message;
  EXPECT_EQ(owner(state_), 0u);
}

}  // namespace
}  // namespace anubis::daemon

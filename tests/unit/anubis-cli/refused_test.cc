// A user whom the control socket does not let in.
#include <gmock/gmock.h>
#include <grp.h>
#include <nlohmann/json.hpp>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/anubis-cli/run_program.h"
#include "tests/unit/anubis-cli/scripted_daemon.h"

namespace anubis::cli {
namespace {

using testing::HasSubstr;

class Refused : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
    const passwd* nobody = getpwnam("nobody");
    const group* users = getgrnam("users");
    if (nobody == nullptr || users == nullptr) GTEST_SKIP() << "needs the user nobody and the group users";
    surroundings_.user_id = nobody->pw_uid;
    users_ = users->gr_gid;
    ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  }

  Ended run(Arguments arguments) {
    arguments.insert(arguments.end(), {"--socket", path_});
    return run_anubis(arguments, surroundings_);
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/sock";
  Surroundings surroundings_;
  gid_t users_ = 0;
};

TEST_F(Refused, IsTheReasonOfExitStatus7AndToldTheGroup) {
  const ScriptedDaemon daemon(path_, {{framed({done()})}});
  ASSERT_EQ(chown(path_.c_str(), 0, users_), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0660), 0);
  const auto ended = run({"up", "jacinth"});
  EXPECT_EQ(ended.exit_status, 7);
  EXPECT_EQ(ended.err, "anubis: no permission to talk to anubisd at " + path_ +
                           ": add yourself to the group users: sudo adduser nobody users, then log in again\n");
  EXPECT_EQ(nlohmann::json::parse(run({"status", "--json"}).out)["daemon"], "unknown");
  ASSERT_EQ(chmod(path_.c_str(), 0666), 0);
  EXPECT_EQ(run({"up", "jacinth"}).exit_status, 0);  // so it was the mode, and nothing else, that kept it out
}

TEST_F(Refused, ByTheDirectoryIsToldTheDirectorysGroup) {
  const ScriptedDaemon daemon(path_, {{framed({done()})}});
  ASSERT_EQ(chown(directory_.path().c_str(), 0, users_), 0);
  ASSERT_EQ(chmod(directory_.path().c_str(), 0750), 0);
  const auto ended = run({"status"});
  EXPECT_EQ(ended.exit_status, 7);
  EXPECT_THAT(ended.err, HasSubstr("add yourself to the group users"));
}

TEST_F(Refused, ASocketOfRootAloneIsNoMatterOfGroups) {
  const ScriptedDaemon daemon(path_, {{framed({done()})}});
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  const auto ended = run({"status"});
  EXPECT_EQ(ended.exit_status, 7);
  EXPECT_THAT(ended.err, HasSubstr("run it as root"));
}

TEST_F(Refused, AMemberOfTheGroupIsNotToldToJoinIt) {
  const ScriptedDaemon daemon(path_, {{framed({done()})}});
  ASSERT_EQ(chown(path_.c_str(), 0, *surroundings_.user_id), 0);  // the tests run it with the group of that number
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  const auto ended = run({"status"});
  EXPECT_EQ(ended.exit_status, 7);
  EXPECT_THAT(ended.err, HasSubstr("may not write to it either"));
}

TEST_F(Refused, ByTheDaemonItselfAfterTheConnection) {
  const ScriptedDaemon daemon(path_, {{framed({done(control::NOT_PERMITTED, "you are not in the group anubis")})}});
  ASSERT_EQ(chmod(path_.c_str(), 0666), 0);
  const auto ended = run({"up", "jacinth"});
  EXPECT_EQ(ended.exit_status, 7);
  EXPECT_EQ(ended.err, "anubis: you are not in the group anubis\n");
}

}  // namespace
}  // namespace anubis::cli

#include <array>
#include <cerrno>

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/process.h"
#include "lib/sandbox/capabilities.h"
#include "lib/sandbox/user.h"
#include "tests/unit/sandbox/child.h"

namespace anubis::sandbox {
namespace {

constexpr const char* kNone = "0000000000000000";
constexpr const char* kNetAdmin = "0000000000001000";

void expect_capabilities(const char* wanted) {
  for (const char* set : {"CapPrm", "CapEff"}) require(status_field(set) == wanted, set);
  for (const char* set : {"CapInh", "CapAmb"}) require(status_field(set) == kNone, set);
}

TEST(Capabilities, AnybodyCanGiveUpAll) {
  EXPECT_DONE_IN_CHILD(require(keep_capabilities({})); expect_capabilities(kNone);
                       require(!has(Capability::kNetAdmin), "no CAP_NET_ADMIN"));
}

TEST(Capabilities, TheNamedOneIsKeptAndNoOther) {
  if (!has(Capability::kNetAdmin)) GTEST_SKIP() << "needs CAP_NET_ADMIN, to keep it";
  EXPECT_DONE_IN_CHILD(require(keep_capabilities({Capability::kNetAdmin})); expect_capabilities(kNetAdmin);
                       require(has(Capability::kNetAdmin), "CAP_NET_ADMIN"));
}

TEST(Capabilities, TheBoundingSetIsLowered) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: others may not lower it";
  EXPECT_DONE_IN_CHILD(require(lower_bounding_set({Capability::kNetAdmin}));
                       require(status_field("CapBnd") == kNetAdmin, "the bounding set"));
}

TEST(Capabilities, WhoMayNotLowerTheBoundingSetGoesOn) {
  EXPECT_DONE_IN_CHILD(require(keep_capabilities({})); const auto before = status_field("CapBnd");
                       require(lower_bounding_set({})); require(status_field("CapBnd") == before, "as it was"));
}

TEST(Capabilities, OneThatIsNotThereCannotBeKept) {
  EXPECT_DONE_IN_CHILD(require(keep_capabilities({})); const auto status = keep_capabilities({Capability::kNetAdmin});
                       require(!status && status.error().code == base::ErrorCode::kPermission, "kPermission"));
}

TEST(User, ThatDoesNotExistIsToldWithWhatToDo) {
  const auto user = find_user("anubis-has-no-such-user");
  ASSERT_FALSE(user);
  EXPECT_EQ(user.error().code, base::ErrorCode::kNotFound);
  EXPECT_NE(user.error().message.find("useradd --system"), std::string::npos) << user.error().message;
}

TEST(User, IsFoundWithItsGroups) {
  const auto user = find_user("root");
  ASSERT_TRUE(user) << user.error().message;
  EXPECT_EQ(user->uid, 0u);
  EXPECT_FALSE(user->groups.empty());
}

TEST(User, ThereIsNoWayBack) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to give it up";
  EXPECT_DONE_IN_CHILD(require(become({.uid = 4321, .gid = 4322, .groups = {4322, 4323}}));
                       require(status_field("Uid") == "4321\t4321\t4321\t4321", "the user");
                       require(status_field("Gid") == "4322\t4322\t4322\t4322", "the group");
                       require(status_field("Groups").starts_with("4322 4323"), "the groups");
                       expect_capabilities(kNone); require(setuid(0) != 0 && errno == EPERM, "no way back"));
}

TEST(User, ThoseWhoAreNotRootCannotBecomeAnybody) {
  const auto as_nobody = [] {
    if (geteuid() == 0) require(setuid(65534) == 0, "setuid");
    const auto status = become({.uid = 4321, .gid = 4322, .groups = {}});
    require(!status && status.error().code == base::ErrorCode::kPermission, "kPermission");
  };
  EXPECT_DONE_IN_CHILD(as_nobody());
}

TEST(Process, F63NoCoreAndNoTracing) {
  const auto shut = [] {
    require(base::set_not_dumpable());
    require(base::forbid_core_dumps());
    require(prctl(PR_GET_DUMPABLE) == 0, "not dumpable");
    rlimit core{};
    require(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0, "RLIMIT_CORE");
  };
  EXPECT_DONE_IN_CHILD(shut());
}

TEST(Process, NoNewPrivileges) {
  EXPECT_DONE_IN_CHILD(require(base::set_no_new_privileges());
                       require(status_field("NoNewPrivs") == "1", "NoNewPrivs"));
}

}  // namespace
}  // namespace anubis::sandbox

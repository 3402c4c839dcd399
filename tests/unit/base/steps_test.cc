#include "lib/base/steps.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace anubis::base {
namespace {

#ifdef ANUBIS_STEPS
class StepsTest : public testing::Test {
 protected:
  StepsTest() : file_(std::filesystem::temp_directory_path() / ("anubis-steps." + std::to_string(getpid()))) {
    setenv("ANUBIS_STEPS", file_.c_str(), 1);
  }
  ~StepsTest() override {
    unsetenv("ANUBIS_STEPS");
    std::filesystem::remove(file_);
  }
  void wish(const std::string& text) const { std::ofstream(file_) << text << '\n'; }

 private:
  std::filesystem::path file_;
};

TEST_F(StepsTest, KillAtTheStepThatIsNamed) {
  wish("kill install.done");
  step("install.begun");
  EXPECT_EXIT(step("install.done"), testing::KilledBySignal(SIGKILL), "");
}

TEST_F(StepsTest, KillAtThePassingThatIsNamedCountedFromTheWish) {
  wish("kill install.done 3");
  step("install.done");
  wish("");
  step("install.done");
  wish("kill install.done 3");
  step("install.done");
  step("install.done");
  EXPECT_EXIT(step("install.done"), testing::KilledBySignal(SIGKILL), "");
}

TEST_F(StepsTest, AreToldOnStandardError) {
  wish("tell");
  testing::internal::CaptureStderr();
  step("remove.done");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "step remove.done\n");
}

TEST_F(StepsTest, DoNothingWithoutAWish) {
  testing::internal::CaptureStderr();
  step("remove.done");
  wish("kill");
  step("remove.done");
  wish("kill remove.dones");
  step("remove.done");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Steps, AreNamedByTheVersion) { EXPECT_THAT(steps_in_version(), testing::HasSubstr(" install.done ")); }
#else
TEST(Steps, AreNotEvenNamedInABuildWithoutThem) { EXPECT_EQ(steps_in_version(), ""); }
#endif

}  // namespace
}  // namespace anubis::base

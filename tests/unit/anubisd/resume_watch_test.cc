#include "anubisd/resume_watch.h"

#include <chrono>

#include <time.h>

#include "tests/unit/anubisd/loop_fixture.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;

class ResumeWatchTest : public LoopTest {
 protected:
  void SetUp() override {
    // Setting the wall clock to what it says is all of a suspend that a test can have.
    if (!set_clock()) GTEST_SKIP() << "may not set the clock";
    watch_.when_resumed([this] { ++resumed_; });
  }
  static bool set_clock() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return clock_settime(CLOCK_REALTIME, &now) == 0;
  }

  base::Duration slept_{1h};
  int resumed_ = 0;
  ResumeWatch watch_{loop_, [this] { return slept_; }};
};

TEST_F(ResumeWatchTest, TellsOfASuspendEachTime) {
  for (int i = 1; i <= 2; ++i) {
    slept_ += 5s;
    ASSERT_TRUE(set_clock());
    EXPECT_TRUE(run_until([&] { return resumed_ == i; }));
  }
}

TEST_F(ResumeWatchTest, AClockThatIsSetIsNone) {
  ASSERT_TRUE(set_clock());
  run_for(100ms);
  EXPECT_EQ(resumed_, 0);
}

TEST_F(ResumeWatchTest, SaysNothingAfterCancel) {
  watch_.cancel();
  slept_ += 5s;
  ASSERT_TRUE(set_clock());
  run_for(100ms);
  EXPECT_EQ(resumed_, 0);
}

TEST(SleptSinceBoot, IsNeverLess) {
  const auto before = ResumeWatch::slept_since_boot();
  EXPECT_GE(before, -1ms);
  EXPECT_GE(ResumeWatch::slept_since_boot(), before - 1ms);
}

}  // namespace
}  // namespace anubis::daemon

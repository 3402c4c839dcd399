#include "anubisd/reloader.h"

#include <optional>

#include "tests/unit/anubisd/fake_netd.h"
#include "tests/unit/anubisd/loop_fixture.h"

namespace anubis::daemon {
namespace {

class ReloaderTest : public LoopTest {
 protected:
  base::Result<std::string> reload() {
    std::optional<base::Result<std::string>> answer;
    reloader_.reload([&](const base::Result<std::string>& message) { answer = message; });
    EXPECT_TRUE(run_until([&] { return answer.has_value(); }));
    return *answer;
  }

  FakePeerSource source_;
  int applied_ = 0;
  Reloader reloader_{loop_, source_, [this](const netd::Reloaded&) -> base::Result<std::string> {
                       ++applied_;
                       return "0 peers";
                     }};
};

TEST_F(ReloaderTest, AppliesWhatWasRead) {
  const auto message = reload();
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(*message, "0 peers");
  EXPECT_EQ(applied_, 1);
}

TEST_F(ReloaderTest, F61ABrokenFileChangesNothingAndSaysWhatIsWrong) {
  source_.next = base::fail(base::ErrorCode::kInvalid, "anubis.toml:6:1: colour is no key");
  const auto message = reload();
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().message, "anubis.toml:6:1: colour is no key\nnothing was changed");
  EXPECT_EQ(applied_, 0);

  source_.next = netd::Reloaded{};
  EXPECT_TRUE(reload());
}

TEST_F(ReloaderTest, SaysWhichChangesNeedARestart) {
  source_.next->restart_needed = {"[side]", "[control]"};
  const auto message = reload();
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(*message, "0 peers; changes to [side], [control] need a restart of anubisd");
}

TEST_F(ReloaderTest, WhoAsksDuringAReadingGetsOneOfHisOwn) {
  int answers = 0;
  const auto count = [&](const base::Result<std::string>&) { ++answers; };
  reloader_.reload(count);
  reloader_.reload(count);
  reloader_.reload(count);
  ASSERT_TRUE(run_until([&] { return answers == 3; }));
  EXPECT_EQ(source_.begun, 2);
  EXPECT_EQ(applied_, 2);
}

TEST_F(ReloaderTest, WaitsOnWhenItWasWokenTooEarly) {
  source_.not_yet = true;
  EXPECT_TRUE(reload());
  EXPECT_EQ(applied_, 1);
}

TEST_F(ReloaderTest, AReadingThatCannotBeginIsToldAtOnce) {
  source_.begin_error = base::Error{base::ErrorCode::kFull, "no threads left"};
  const auto message = reload();
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().message, "no threads left");
  EXPECT_EQ(applied_, 0);
  source_.begin_error.reset();
  EXPECT_TRUE(reload());
}

}  // namespace
}  // namespace anubis::daemon

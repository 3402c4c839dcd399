#include "anubisd/reloader.h"

#include <fstream>
#include <optional>

#include "lib/crypto/keys.h"
#include "tests/unit/anubisd/folder.h"
#include "tests/unit/anubisd/loop_fixture.h"

namespace anubis::daemon {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Private keys 1 and 2, clamped; their public keys do not matter here.
std::string key(char first) { return first + std::string(40, 'A') + "EA="; }

class ReloaderTest : public LoopTest {
 protected:
  ReloaderTest() {
    crypto::initialise();
    write("xena.key", key('C'));
    write("xena-side.key", key('E'));
    write("anubis.toml", kText);
    auto running = config::load(folder_ / "anubis.toml");
    EXPECT_TRUE(running) << running.error().message;
    if (running) running_ = std::move(*running);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    std::filesystem::permissions(folder_ / name, std::filesystem::perms(0600));
  }
  base::Result<std::string> reload() {
    std::optional<base::Result<std::string>> answer;
    reloader_.reload([&](const base::Result<std::string>& message) { answer = message; });
    EXPECT_TRUE(run_until([&] { return answer.has_value(); }));
    return *answer;
  }

  static constexpr const char* kText =
      "name = \"xena\"\n[production]\nprivate_key_file = \"xena.key\"\n[side]\nprivate_key_file = \"xena-side.key\"\n";

  Folder folder_;
  config::Config running_;
  int applied_ = 0;
  Reloader reloader_{loop_, folder_ / "anubis.toml", running_,
                     [this](const std::vector<model::Peer>&) -> base::Result<std::string> {
                       ++applied_;
                       return "0 peers";
                     }};
};

TEST_F(ReloaderTest, AppliesAGoodFile) {
  const auto message = reload();
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(*message, "0 peers");
  EXPECT_EQ(applied_, 1);
}

TEST_F(ReloaderTest, F61ABrokenFileChangesNothingAndSaysWhatIsWrong) {
  write("anubis.toml", std::string(kText) + "colour = 1\n");
  const auto message = reload();
  ASSERT_FALSE(message);
  EXPECT_THAT(message.error().message, AllOf(HasSubstr("anubis.toml:6:"), HasSubstr("nothing was changed")));
  EXPECT_EQ(applied_, 0);

  write("anubis.toml", kText);
  EXPECT_TRUE(reload());
}

TEST_F(ReloaderTest, SaysWhichChangesNeedARestart) {
  write("anubis.toml", std::string(kText) + "listen_port = 5000\n[control]\ngroup = \"wheel\"\n");
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
  EXPECT_EQ(applied_, 2);
}

TEST_F(ReloaderTest, NothingNeedsARestartWhenNothingChanged) {
  const auto same = config::load(folder_ / "anubis.toml");
  ASSERT_TRUE(same);
  EXPECT_THAT(restart_needed(running_, *same), IsEmpty());
}

}  // namespace
}  // namespace anubis::daemon

// What only happens on a terminal: colour, progress, and status --watch.
#include <csignal>
#include <memory>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/anubis-cli/run_program.h"
#include "tests/unit/anubis-cli/scripted_daemon.h"

namespace anubis::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// Wrapping on, cursor on, back from the alternate screen.
constexpr const char* kLeft = "\x1b[?7h\x1b[?25h\x1b[?1049l";

class Terminal : public testing::Test {
 protected:
  std::unique_ptr<ScriptedDaemon> daemon_of(const std::vector<control::Response>& responses) {
    return std::make_unique<ScriptedDaemon>(path_, std::vector<ScriptedDaemon::Scene>{{framed(responses)}});
  }
  std::unique_ptr<ScriptedDaemon> daemon_with(const std::string& name) {
    return daemon_of({host("xena"), peer(name, "up"), done()});
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/sock";
};

TEST_F(Terminal, StateIsColoured) {
  const auto daemon = daemon_with("jacinth");
  OnTerminal anubis({"status", "--socket", path_});
  EXPECT_EQ(anubis.end(), 0);
  EXPECT_THAT(anubis.output(), HasSubstr("\x1b[32mup\x1b[0m"));
}

TEST_F(Terminal, NoColorIsHonoured) {
  const auto daemon = daemon_with("jacinth");
  const struct {
    Arguments arguments;
    std::vector<std::string> environment;
    bool coloured;
  } cases[] = {{{}, {"TERM=xterm", "NO_COLOR=1"}, false},
               {{}, {"TERM=xterm", "NO_COLOR="}, true},
               {{}, {"TERM=dumb"}, false},
               {{"--color=never"}, {"TERM=xterm"}, false},
               {{"--color=always"}, {"TERM=xterm", "NO_COLOR=1"}, true}};
  for (const auto& c : cases) {
    Arguments arguments{"status", "--socket", path_};
    arguments.insert(arguments.end(), c.arguments.begin(), c.arguments.end());
    OnTerminal anubis(arguments, c.environment);
    EXPECT_EQ(anubis.end(), 0);
    EXPECT_EQ(anubis.output().find('\x1b') != std::string::npos, c.coloured) << anubis.output();
  }
}

TEST_F(Terminal, DownAllShowsItsProgress) {
  control::Response progress;
  progress.mutable_progress()->set_done(1);
  progress.mutable_progress()->set_total(2);
  progress.mutable_progress()->set_name("jacinth");
  const auto daemon = daemon_of({progress, done()});
  OnTerminal anubis({"down", "--all", "--socket", path_});
  EXPECT_EQ(anubis.end(), 0);
  EXPECT_THAT(anubis.output(), HasSubstr("\r\x1b[K[1/2] jacinth\r\x1b[K2 peers are down"));
}

TEST_F(Terminal, WatchEndsWithQAndLeavesTheTerminalAsItWas) {
  const auto daemon = daemon_with("jacinth");
  OnTerminal anubis({"status", "--watch", "--socket", path_});
  EXPECT_TRUE(anubis.shows("\x1b[?1049h"));
  EXPECT_TRUE(anubis.shows("jacinth"));
  EXPECT_FALSE(anubis.is_cooked());
  EXPECT_TRUE(anubis.shows("jacinth"));  // again, a second later
  anubis.type("q");
  EXPECT_TRUE(anubis.shows(kLeft));
  EXPECT_EQ(anubis.end(), 0);
  EXPECT_THAT(anubis.output(), EndsWith(kLeft));
}

TEST_F(Terminal, WatchPutsTheKeysBack) {
  const auto daemon = daemon_with("jacinth");
  OnTerminal anubis({"status", "--watch", "--socket", path_});
  ASSERT_TRUE(anubis.shows("jacinth"));
  // Stopping leaves the screen like an end does, and keeps the terminal open to be looked at.
  anubis.type("\x1a");
  ASSERT_TRUE(anubis.shows(kLeft));
  for (int i = 0; i < 500 && !anubis.is_cooked(); ++i) usleep(10'000);
  EXPECT_TRUE(anubis.is_cooked());
  int status = 0;
  ASSERT_EQ(waitpid(anubis.pid(), &status, WUNTRACED), anubis.pid());
  ASSERT_TRUE(WIFSTOPPED(status));
  kill(anubis.pid(), SIGCONT);
  EXPECT_TRUE(anubis.shows("\x1b[?1049h"));
  EXPECT_TRUE(anubis.shows("jacinth"));
  EXPECT_FALSE(anubis.is_cooked());
}

TEST_F(Terminal, WatchEndsBySignalAfterRestoringTheTerminal) {
  const auto daemon = daemon_with("jacinth");
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    OnTerminal anubis({"status", "--watch", "--socket", path_});
    ASSERT_TRUE(anubis.shows("jacinth"));
    kill(anubis.pid(), signal);
    EXPECT_EQ(anubis.end(), 128 + signal);
    EXPECT_THAT(anubis.output(), EndsWith(kLeft));
  }
  OnTerminal anubis({"status", "--watch", "--socket", path_});
  ASSERT_TRUE(anubis.shows("jacinth"));
  anubis.type("\x03");  // Ctrl-C
  EXPECT_EQ(anubis.end(), 130);
}

TEST_F(Terminal, WatchSurvivesARestartOfTheDaemon) {
  auto daemon = daemon_with("jacinth");
  OnTerminal anubis({"status", "--watch", "--socket", path_});
  EXPECT_TRUE(anubis.shows("jacinth"));
  daemon.reset();
  EXPECT_TRUE(anubis.shows("anubisd is not running"));
  daemon = daemon_with("ju");
  EXPECT_TRUE(anubis.shows("ju"));
  anubis.type("q");
  EXPECT_EQ(anubis.end(), 0);
}

TEST_F(Terminal, WatchStaysWithinTheScreen) {
  std::vector<control::Response> many{host("xena")};
  for (int i = 0; i < 50; ++i) many.push_back(peer("peer" + std::to_string(i), "up"));
  many.push_back(done());
  const auto daemon = daemon_of(many);
  OnTerminal anubis({"status", "--watch", "--socket", path_});  // 20 rows: 2 above, the titles, 17 peers
  ASSERT_TRUE(anubis.shows("peer16"));
  anubis.resize(100, 23);
  EXPECT_TRUE(anubis.shows("peer19"));
  EXPECT_THAT(anubis.output(), Not(HasSubstr("peer20")));
}

TEST_F(Terminal, WatchWrapsReasons) {
  const auto daemon =
      daemon_of({host("xena"), peer("jacinth", "failed", std::string(80, 'x') + " " + std::string(30, 'y')), done()});
  OnTerminal anubis({"status", "--watch", "--socket", path_});
  EXPECT_TRUE(anubis.shows(std::string(80, 'x') + "\x1b[K\r\n" + std::string(30, 'y')));
}

TEST_F(Terminal, WatchOfJsonIsADocumentALineAndGoesOnWithoutTheDaemon) {
  auto daemon = daemon_with("jacinth");
  OnTerminal anubis({"status", "--watch", "--json", "--socket", path_});
  EXPECT_TRUE(anubis.shows("\"daemon\":\"running\""));
  EXPECT_TRUE(anubis.shows("}\r\n"));
  daemon.reset();
  EXPECT_TRUE(anubis.shows("{\"schema\":1,\"daemon\":\"not running\",\"peers\":[]}\r\n"));
  EXPECT_THAT(anubis.output(), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace anubis::cli

// A daemon that is absent, mute, or not what it should be.
#include <csignal>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/unit/anubis-cli/run_program.h"
#include "tests/unit/anubis-cli/scripted_daemon.h"

namespace anubis::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;
using Then = ScriptedDaemon::Then;

class BadDaemon : public testing::Test {
 protected:
  Ended run(Arguments arguments) {
    arguments.insert(arguments.end(), {"--socket", path_});
    return run_anubis(arguments);
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/sock";
};

TEST_F(BadDaemon, AbsentIsExitStatus8WithEveryCommand) {
  const std::string sentence =
      "anubis: anubisd is not running (no socket at " + path_ + "); start it with: sudo systemctl start anubisd\n";
  for (const Arguments& arguments : std::vector<Arguments>{
           {"up", "jacinth"}, {"down", "jacinth"}, {"down", "--all"}, {"status"}, {"peers"}, {"monitor"}, {"reload"}}) {
    const auto ended = run(arguments);
    EXPECT_EQ(ended.exit_status, 8) << arguments[0];
    EXPECT_EQ(ended.err, sentence);
    EXPECT_EQ(ended.out, "");
  }
}

TEST_F(BadDaemon, AbsentIsSilentForIsUp) {
  const auto ended = run({"is-up", "jacinth"});
  EXPECT_EQ(ended.exit_status, 8);
  EXPECT_EQ(ended.out + ended.err, "");
}

TEST_F(BadDaemon, AbsentIsJsonToo) {
  const auto absent = json::parse(R"({"schema": 1, "daemon": "not running", "peers": []})");
  for (const Arguments& arguments :
       std::vector<Arguments>{{"status", "--json"}, {"status", "jacinth", "--json"}, {"peers", "--json"}}) {
    const auto ended = run(arguments);
    EXPECT_EQ(ended.exit_status, 8);
    EXPECT_EQ(json::parse(ended.out), absent);
  }
  EXPECT_EQ(json::parse(run({"monitor", "--json"}).out)["daemon"], "not running");
}

TEST_F(BadDaemon, SocketLeftBehindByADeadDaemon) {
  {
    ScriptedDaemon daemon(path_, {{""}});
    ASSERT_EQ(rename(path_.c_str(), (path_ + "2").c_str()), 0);
  }
  path_ += "2";
  const auto ended = run({"status"});
  EXPECT_EQ(ended.exit_status, 8);
  EXPECT_THAT(ended.err, HasSubstr("nobody listens at " + path_));
}

TEST_F(BadDaemon, ClosesWithoutAnAnswer) {
  const ScriptedDaemon daemon(path_, {{""}});
  const auto ended = run({"up", "jacinth"});
  EXPECT_EQ(ended.exit_status, 8);
  EXPECT_THAT(ended.err, HasSubstr("anubisd closed the connection before it was done"));
}

TEST_F(BadDaemon, BreaksOffInTheMiddleOfAFrame) {
  const ScriptedDaemon daemon(path_, {{framed({done()}).substr(0, 5)}, {framed({host("xena")}).substr(0, 6)}});
  for (int i = 0; i < 2; ++i) {
    const auto ended = run({"status"});
    EXPECT_EQ(ended.exit_status, 1);
    EXPECT_THAT(ended.err, HasSubstr("breaks off in the middle"));
  }
}

TEST_F(BadDaemon, SpeaksSomethingElse) {
  const ScriptedDaemon daemon(path_, {{"HTTP/1.0 400 Bad Request\r\n\r\n", Then::kStayOpen},
                                      {std::string("\0\0\0\5", 4) + "\xff\xff\xff\xff\xff", Then::kStayOpen},
                                      {std::string("\xff\xff\xff\xff", 4), Then::kStayOpen}});
  for (const char* what :
       {"a frame of more than 16 MiB", "5 bytes that are no response", "a frame of more than 16 MiB"}) {
    const auto ended = run({"status", "--json"});
    EXPECT_EQ(ended.exit_status, 1);
    EXPECT_THAT(ended.err, HasSubstr(what));
    EXPECT_THAT(ended.err, HasSubstr("it is not anubisd"));
    EXPECT_EQ(json::parse(ended.out)["daemon"], "unknown");
  }
}

TEST_F(BadDaemon, AnUnknownResponseOfALaterDaemonIsPassedOver) {
  // Field 15, which no response has: a tag of wire type 2 and no content.
  const ScriptedDaemon daemon(path_, {{std::string("\0\0\0\2\x7a\0", 6) + framed({done()})}});
  EXPECT_EQ(run({"up", "jacinth"}).exit_status, 0);
}

// The daemon's timeout is 1 s; we allow it 5 s more.
TEST_F(BadDaemon, SilenceEnds) {
  const ScriptedDaemon daemon(path_, {{"", Then::kStayOpen}});
  const auto before = base::BootClock::now();
  const auto ended = run({"up", "jacinth", "--timeout", "1s"});
  const auto took = base::BootClock::now() - before;
  EXPECT_EQ(ended.exit_status, 5);
  EXPECT_THAT(ended.err, StartsWith("anubis: anubisd has been silent for 6 s; is it stuck?"));
  EXPECT_GE(took, std::chrono::seconds(6));
  EXPECT_LT(took, std::chrono::seconds(10));
}

TEST_F(BadDaemon, TakesNoConnections) {
  const base::Fd listener = listen_at(path_, 0);
  const base::Fd first = connect_to(path_);  // fills its queue
  const auto before = base::BootClock::now();
  const auto ended = run({"status"});
  EXPECT_EQ(ended.exit_status, 5);
  EXPECT_THAT(ended.err, HasSubstr("anubisd takes no connections at " + path_));
  EXPECT_LT(base::BootClock::now() - before, std::chrono::seconds(10));
}

TEST_F(BadDaemon, InterruptIsExitStatus130) {
  const ScriptedDaemon daemon(path_, {{"", Then::kStayOpen}});
  Surroundings surroundings;
  surroundings.meanwhile = [&daemon](pid_t pid) {
    for (int i = 0; i < 1'000 && daemon.commands().empty(); ++i) usleep(10'000);
    kill(pid, SIGINT);
  };
  const auto ended = run_anubis({"up", "jacinth", "--socket", path_}, surroundings);
  EXPECT_EQ(ended.exit_status, 130);
  EXPECT_EQ(ended.out, "");
}

TEST_F(BadDaemon, PathThatIsTooLongForASocketIsUsage) {
  path_ = "/" + std::string(200, 'x');
  const auto ended = run({"status"});
  EXPECT_EQ(ended.exit_status, 2);
  EXPECT_THAT(ended.err, HasSubstr("1 to 107 bytes"));
}

TEST_F(BadDaemon, MistakesInUsageAreExitStatus2OnStandardError) {
  for (const Arguments& arguments : std::vector<Arguments>{{"up"}, {"upp"}, {"status", "--nope"}, {"down"}}) {
    const auto ended = run_anubis(arguments);
    EXPECT_EQ(ended.exit_status, 2);
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, HasSubstr("Help: anubis"));
  }
}

TEST_F(BadDaemon, FullDiskIsAFailure) {
  const ScriptedDaemon daemon(path_, {{framed({host("xena"), done()})}});
  Surroundings surroundings;
  surroundings.standard_output = "/dev/full";
  for (const Arguments& arguments : std::vector<Arguments>{{"status", "--json", "--socket", path_}, {"--help"}}) {
    const auto ended = run_anubis(arguments, surroundings);
    EXPECT_EQ(ended.exit_status, 1);
    EXPECT_EQ(ended.err, "anubis: cannot write to standard output: No space left on device\n");
  }
}

// Each line leaves at once: the daemon stays, and yet the failure to write is told.
TEST_F(BadDaemon, MonitorWritesEachLineAtOnce) {
  control::Response event;
  event.mutable_event()->set_kind("healed");
  const ScriptedDaemon daemon(path_, {{framed({host("xena"), event}), Then::kStayOpen}});
  Surroundings surroundings;
  surroundings.standard_output = "/dev/full";
  const auto ended = run_anubis({"monitor", "--socket", path_}, surroundings);
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_THAT(ended.err, HasSubstr("cannot write to standard output"));
}

}  // namespace
}  // namespace anubis::cli

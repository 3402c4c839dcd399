// `anubis nm-event`, as hooks call it: it ends well and at once, whatever is wrong. tests/lab/network_manager has the
// real NetworkManager.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/unit/anubis-cli/run_program.h"
#include "tests/unit/anubis-cli/scripted_daemon.h"

namespace anubis::cli {
namespace {

using testing::SizeIs;
using Then = ScriptedDaemon::Then;

class NmEvent : public testing::Test {
 protected:
  // Without a D-Bus unless a test says otherwise.
  void run(Arguments arguments, const Surroundings& more = {}) {
    arguments.insert(arguments.begin(), {"--socket", path_, "nm-event"});
    Surroundings surroundings = more;
    surroundings.environment.push_back("DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + bus_);
    const auto begin = base::BootClock::now();
    const auto ended = run_anubis(arguments, surroundings);
    EXPECT_EQ(ended.exit_status, 0);
    EXPECT_EQ(ended.out + ended.err, "");
    EXPECT_LT(base::BootClock::now() - begin, std::chrono::seconds(5));  // 1 s of it is the program's
  }
  // Until the daemon has heard one more: it may give up, as it is bounded in time, where the machine stands still.
  void run_until_heard(const ScriptedDaemon& daemon, const Arguments& arguments) {
    const std::size_t before = daemon.commands().size();
    for (int tries = 0; tries < 5 && daemon.commands().size() == before; ++tries) run(arguments);
    ASSERT_THAT(daemon.commands(), SizeIs(before + 1));
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/sock";
  std::string bus_ = directory_.path() + "/bus";
};

TEST_F(NmEvent, TellsTheDaemonThatNothingIsActiveWhereThereIsNoNetworkManager) {
  const ScriptedDaemon daemon(path_, {{framed({done()})}});
  run_until_heard(daemon, {"eth0", "up"});
  ASSERT_THAT(daemon.commands(), SizeIs(1));
  const control::NmEvent event = daemon.commands()[0].nm_event();
  EXPECT_EQ(event.interface(), "eth0");
  EXPECT_EQ(event.action(), "up");
  EXPECT_TRUE(event.connections_known());
  EXPECT_EQ(event.connections_size(), 0);
}

TEST_F(NmEvent, AnyArgumentsAreFine) {
  const ScriptedDaemon daemon(path_, {{framed({done()})}});
  const std::vector<Arguments> all{{},
                                   {""},
                                   {"", "connectivity-change"},
                                   {"none", "hostname"},
                                   {"eth0", "down", "and", "more"},
                                   {"--nope"},
                                   {"-x", "--socket"},
                                   {"status", "reload"},
                                   {std::string(100'000, 'x'), "\xff\xfe\n"}};
  for (const Arguments& arguments : all) run_until_heard(daemon, arguments);
  const auto commands = daemon.commands();
  ASSERT_THAT(commands, SizeIs(all.size()));
  EXPECT_EQ(commands[2].nm_event().interface(), "");
  EXPECT_EQ(commands[2].nm_event().action(), "connectivity-change");
  EXPECT_EQ(commands[4].nm_event().action(), "down");
  for (const auto& command : commands) EXPECT_TRUE(command.has_nm_event());
}

TEST_F(NmEvent, ADaemonThatIsAbsentOrMuteOrMadIsNoMatter) {
  run({"eth0", "up"});
  {
    const ScriptedDaemon daemon(path_, {{"", Then::kStayOpen}});
    run({"eth0", "up"});
  }
  {
    const ScriptedDaemon daemon(path_, {{"HTTP/1.0 400 Bad Request\r\n\r\n"}});
    run({"eth0", "up"});
  }
  {
    const ScriptedDaemon daemon(path_, {{framed({done(control::NOT_PERMITTED, "you may not")})}});
    run({"eth0", "up"});
  }
  const base::Fd listener = listen_at(path_, 0);
  const base::Fd first = connect_to(path_);  // fills its queue
  run({"eth0", "up"});
}

TEST_F(NmEvent, ABusThatHangsIsGivenUpAndTheDaemonStillHears) {
  const base::Fd hung = listen_at(bus_, 8);  // takes connections and says nothing
  const ScriptedDaemon daemon(path_, {{framed({done()})}});
  run_until_heard(daemon, {"eth0", "up"});
  ASSERT_THAT(daemon.commands(), SizeIs(1));
  EXPECT_FALSE(daemon.commands()[0].nm_event().connections_known());
}

TEST_F(NmEvent, WhereNothingAnswersAtAllItEndsAllTheSame) {
  const base::Fd bus = listen_at(bus_, 8);
  const base::Fd listener = listen_at(path_, 0);
  const base::Fd first = connect_to(path_);
  run({"eth0", "up"});
}

TEST_F(NmEvent, AFullDiskIsNoMatter) {
  Surroundings surroundings;
  surroundings.standard_output = "/dev/full";
  run({"eth0", "up"}, surroundings);
}

TEST_F(NmEvent, WaitsForADaemonThatIsBeingStarted) {
  std::optional<ScriptedDaemon> daemon;
  Surroundings surroundings;
  surroundings.meanwhile = [&](pid_t) {
    usleep(300'000);
    daemon.emplace(path_, std::vector<ScriptedDaemon::Scene>{{framed({done()})}});
  };
  run({"--until-running", "none", "start"}, surroundings);
  ASSERT_TRUE(daemon);
  ASSERT_THAT(daemon->commands(), SizeIs(1));
  EXPECT_EQ(daemon->commands()[0].nm_event().action(), "start");
}

}  // namespace
}  // namespace anubis::cli

// init, card and trust, as programs: what they make, what they say, and what they leave when something fails.
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/anubis-cli/run_program.h"
#include "tests/unit/anubis-cli/scripted_daemon.h"

namespace anubis::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string contents(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class Identity : public testing::Test {
 protected:
  [[nodiscard]] std::string config_of(const std::string& host) const {
    return directory_.path() + "/" + host + "/anubis.toml";
  }
  [[nodiscard]] std::string socket() const { return directory_.path() + "/sock"; }

  Ended on(const std::string& host, Arguments arguments) {
    arguments.insert(arguments.end(), {"--config", config_of(host), "--socket", socket()});
    return run_anubis(arguments);
  }
  void init(const std::string& host, const std::string& address) {
    const auto ended = on(host, {"init", "--name", host, "--address", address});
    ASSERT_EQ(ended.exit_status, 0) << ended.err;
  }
  // A file with HOST's card.
  std::string card_of(const std::string& host) {
    const std::string file = directory_.path() + "/" + host + ".card";
    std::ofstream(file) << on(host, {"card"}).out;
    return file;
  }

  TemporaryDirectory directory_;
};

TEST_F(Identity, InitMakesKeysForTheirOwnerAloneAndAConfigurationForAll) {
  init("xena", "10.44.0.7/24");
  for (const char* key : {"/xena/xena.key", "/xena/xena-side.key"}) {
    struct stat status{};
    ASSERT_EQ(stat((directory_.path() + key).c_str(), &status), 0) << key;
    EXPECT_EQ(status.st_mode & 07777, 0600u);
  }
  EXPECT_THAT(contents(config_of("xena")), HasSubstr("name = \"xena\""));
}

TEST_F(Identity, InitNeverOverwrites) {
  init("xena", "10.44.0.7/24");
  const std::string before = contents(config_of("xena"));
  const auto again = on("xena", {"init", "--name", "petra"});
  EXPECT_EQ(again.exit_status, 1);
  EXPECT_THAT(again.err, HasSubstr("anubis.toml exists already and stays as it is; nothing was changed"));
  EXPECT_EQ(contents(config_of("xena")), before);
  EXPECT_EQ(contents(directory_.path() + "/xena/petra.key"), "");
}

TEST_F(Identity, InitLeavesNothingWhereAKeyStandsInTheWay) {
  init("xena", "10.44.0.7/24");
  ASSERT_EQ(rename(config_of("xena").c_str(), (directory_.path() + "/xena/old").c_str()), 0);
  const std::string key = contents(directory_.path() + "/xena/xena.key");
  const auto again = on("xena", {"init", "--name", "xena"});
  EXPECT_EQ(again.exit_status, 1);
  EXPECT_THAT(again.err, HasSubstr("xena.key exists already"));
  EXPECT_EQ(contents(directory_.path() + "/xena/xena.key"), key);
  EXPECT_EQ(contents(config_of("xena")), "");
}

TEST_F(Identity, WithoutPermissionTheyEndWithSeven) {
  const auto nobody = geteuid() == 0 ? Surroundings{.user_id = 65534} : Surroundings{};
  const auto made = run_anubis({"init", "--config", "/etc/anubis-of-nobody/anubis.toml"}, nobody);
  EXPECT_EQ(made.exit_status, 7);
  EXPECT_EQ(made.err, "anubis: no permission to create /etc/anubis-of-nobody; run this as root (sudo)\n");
}

TEST_F(Identity, TwoHostsTrustEachOther) {
  init("xena", "10.44.0.7/24");
  const auto made =
      on("jacinth", {"init", "--name", "jacinth", "--address", "10.44.0.1/24", "--endpoint", "jacinth.example.net"});
  ASSERT_EQ(made.exit_status, 0) << made.err;
  const auto trusted = on("xena", {"trust", "--yes", card_of("jacinth")});
  EXPECT_EQ(trusted.exit_status, 0) << trusted.err;
  EXPECT_THAT(trusted.out, StartsWith("jacinth is a peer of this host now ("));
  EXPECT_THAT(contents(directory_.path() + "/xena/conf.d/jacinth.toml"),
              HasSubstr("endpoint = \"jacinth.example.net\"\n"));
  const auto back = on("jacinth", {"trust", "--yes", "--name", "laptop", card_of("xena")});
  EXPECT_EQ(back.exit_status, 0) << back.err;
  EXPECT_THAT(contents(directory_.path() + "/jacinth/conf.d/laptop.toml"),
              HasSubstr("allowed_ips = [\"10.44.0.7/32\"]"));
  // Once more does no harm.
  const auto again = on("xena", {"trust", "--yes", card_of("jacinth")});
  EXPECT_EQ(again.exit_status, 0);
  EXPECT_THAT(again.out, HasSubstr("is a peer already"));
}

TEST_F(Identity, ADaemonThatRunsReadsThePeerAtOnce) {
  init("xena", "10.44.0.7/24");
  init("jacinth", "10.44.0.1/24");
  const ScriptedDaemon daemon(socket(), {{framed({done()})}});
  const auto trusted = on("xena", {"trust", "--yes", card_of("jacinth")});
  EXPECT_EQ(trusted.exit_status, 0) << trusted.err;
  ASSERT_EQ(daemon.commands().size(), 1u);
  EXPECT_TRUE(daemon.commands()[0].has_reload());
}

TEST_F(Identity, WhatTheDaemonRefusesIsTakenBack) {
  init("xena", "10.44.0.7/24");
  init("jacinth", "10.44.0.1/24");
  const ScriptedDaemon daemon(socket(), {{framed({done(control::FAILED, "no such luck")})}});
  const auto trusted = on("xena", {"trust", "--yes", card_of("jacinth")});
  EXPECT_EQ(trusted.exit_status, 1);
  EXPECT_EQ(trusted.err, "anubis: no such luck\n    nothing was changed\n");
  EXPECT_EQ(contents(directory_.path() + "/xena/conf.d/jacinth.toml"), "");
}

TEST_F(Identity, WhatAnubisdWouldNotTakeIsTakenBack) {
  init("xena", "10.44.0.7/24");
  init("jacinth", "10.44.0.1/24");
  // Only the whole configuration shows it: loopback cannot be behind a peer.
  const auto trusted = on("xena", {"trust", "--yes", card_of("jacinth"), "--allowed-ips", "127.0.0.0/8"});
  EXPECT_EQ(trusted.exit_status, 1);
  EXPECT_THAT(trusted.err, HasSubstr("is loopback"));
  EXPECT_EQ(contents(directory_.path() + "/xena/conf.d/jacinth.toml"), "");
}

TEST_F(Identity, NothingIsTrustedUnasked) {
  init("xena", "10.44.0.7/24");
  init("jacinth", "10.44.0.1/24");
  const std::string card = card_of("jacinth");
  const auto unasked = on("xena", {"trust", card});
  EXPECT_EQ(unasked.exit_status, 2);
  EXPECT_THAT(unasked.err, HasSubstr("with --yes nothing is asked"));

  OnTerminal terminal({"trust", card, "--config", config_of("xena"), "--socket", socket()});
  EXPECT_TRUE(terminal.shows("allowed_ips = [\"10.44.0.1/32\"]"));
  EXPECT_TRUE(terminal.shows("Make jacinth a peer of this host? [y/N]"));
  terminal.type("n\n");
  EXPECT_EQ(terminal.end(), 1);
  EXPECT_EQ(contents(directory_.path() + "/xena/conf.d/jacinth.toml"), "");

  OnTerminal agreeing({"trust", card, "--config", config_of("xena"), "--socket", socket()});
  EXPECT_TRUE(agreeing.shows("[y/N]"));
  agreeing.type("y\n");
  EXPECT_EQ(agreeing.end(), 0);
  EXPECT_NE(contents(directory_.path() + "/xena/conf.d/jacinth.toml"), "");
}

TEST_F(Identity, TheOptionCountsMoreThanTheEnvironment) {
  const Surroundings elsewhere{.environment = {"ANUBIS_CONFIG=" + config_of("petra")}};
  EXPECT_EQ(run_anubis({"init", "--name", "xena", "--config", config_of("xena")}, elsewhere).exit_status, 0);
  EXPECT_NE(contents(config_of("xena")), "");
  EXPECT_EQ(contents(config_of("petra")), "");
  EXPECT_EQ(run_anubis({"init", "--name", "petra"}, elsewhere).exit_status, 0);
  EXPECT_NE(contents(config_of("petra")), "");
}

TEST_F(Identity, MistakesInUsageEndWithTwo) {
  for (const Arguments& arguments : {Arguments{"trust"},
                                     {"trust", "x", "--allowed-ips", "10.44.0.0/33"},
                                     {"init", "--address", "10.44.0"},
                                     {"init", "--name", "a b"},
                                     {"card", "--endpoint", "a b"},
                                     {"init", "--config", ""}}) {
    const auto ended = run_anubis(arguments);
    EXPECT_EQ(ended.exit_status, 2) << arguments[0] << ": " << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("Help: anubis " + arguments[0])) << ended.err;
  }
}

}  // namespace
}  // namespace anubis::cli

// What each command asks of the daemon, prints and returns when the daemon answers.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/unit/anubis-cli/run_program.h"
#include "tests/unit/anubis-cli/scripted_daemon.h"

namespace anubis::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Command : public testing::Test {
 protected:
  // `anubis ARGUMENTS` against a daemon that answers RESPONSES.
  Ended run(const std::vector<control::Response>& responses, Arguments arguments) {
    const std::string path = directory_.path() + "/sock";
    const ScriptedDaemon daemon(path, {{framed(responses)}});
    arguments.insert(arguments.end(), {"--socket", path});
    auto ended = run_anubis(arguments, {.environment = {"TZ=UTC"}});
    const auto commands = daemon.commands();
    EXPECT_EQ(commands.size(), 1U);
    if (!commands.empty()) asked_ = commands.front();
    return ended;
  }

  TemporaryDirectory directory_;
  control::Command asked_;
};

TEST_F(Command, UpAsksForWhatWasTypedAndTellsHowLongItTook) {
  auto answer = done();
  answer.mutable_done()->set_took_us(12'345);
  const auto ended = run({answer}, {"up", "jacinth", "--lease", "2h", "--timeout", "3s"});
  EXPECT_EQ(ended.exit_status, 0);
  EXPECT_EQ(ended.out, "jacinth is up (12 ms)\n");
  EXPECT_EQ(ended.err, "");
  EXPECT_EQ(asked_.up().name(), "jacinth");
  EXPECT_EQ(asked_.up().lease_seconds(), 7'200U);
  EXPECT_EQ(asked_.up().timeout_ms(), 3'000U);
}

TEST_F(Command, UpWithoutALeaseLeavesItToTheConfiguration) {
  EXPECT_EQ(run({done()}, {"up", "jacinth"}).exit_status, 0);
  EXPECT_FALSE(asked_.up().has_lease_seconds());
  EXPECT_EQ(run({done()}, {"up", "jacinth", "--lease", "none"}).exit_status, 0);
  EXPECT_TRUE(asked_.up().has_lease_seconds());
}

TEST_F(Command, UpTellsTheLeaseAndWhetherItWasUp) {
  auto answer = done();
  answer.mutable_done()->set_took_us(2'400);
  answer.mutable_done()->set_lease_seconds_left(7'200);
  EXPECT_EQ(run({answer}, {"up", "jacinth"}).out, "jacinth is up (2.4 ms, lease 2 h)\n");
  answer.mutable_done()->set_was_so_already(true);
  EXPECT_EQ(run({answer}, {"up", "jacinth"}).out, "jacinth is up already (lease 2 h)\n");
  answer.mutable_done()->clear_lease_seconds_left();
  EXPECT_EQ(run({answer}, {"up", "jacinth"}).out, "jacinth is up already\n");
}

TEST_F(Command, WhatThereIsToSayOfASuccessIsAMessage) {
  const auto ended = run({done(control::DONE, "its clock is odd\x1b[2J")}, {"up", "jacinth"});
  EXPECT_EQ(ended.out, "jacinth is up (0.0 ms)\n");
  EXPECT_EQ(ended.err, "anubis: its clock is odd\\x1b[2J\n");
}

TEST_F(Command, EveryFailureOfTheDaemonHasItsExitStatusAndSentence) {
  const struct {
    control::ExitStatus told;
    int exit_status;
  } cases[] = {{control::FAILED, 1},        {control::USAGE, 2},       {control::NOT_UP, 3},
               {control::REFUSED, 4},       {control::UNREACHABLE, 5}, {control::NO_SUCH_PEER, 6},
               {control::NOT_PERMITTED, 7}, {control::NOT_RUNNING, 8}};
  for (const auto& c : cases) {
    for (const char* command : {"up", "down"}) {
      const auto ended = run({done(c.told, "jacinth did not answer within 10 s: try again")}, {command, "jacinth"});
      EXPECT_EQ(ended.exit_status, c.exit_status) << command;
      EXPECT_EQ(ended.out, "");
      EXPECT_EQ(ended.err, "anubis: jacinth did not answer within 10 s: try again\n");
    }
  }
}

TEST_F(Command, AStatusOfALaterDaemonIsAFailure) {
  auto answer = done();
  answer.mutable_done()->set_status(static_cast<control::ExitStatus>(77));
  const auto ended = run({answer}, {"up", "jacinth"});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_THAT(ended.err, HasSubstr("did not say why"));
}

TEST_F(Command, ASentenceOfTwoLinesCannotForgeAMessage) {
  const auto ended = run({done(control::REFUSED, "no\nanubis: all is well")}, {"up", "jacinth"});
  EXPECT_EQ(ended.err, "anubis: no\n    anubis: all is well\n");
}

TEST_F(Command, DownTellsHowLongItTook) {
  auto answer = done();
  answer.mutable_done()->set_took_us(3'000);
  EXPECT_EQ(run({answer}, {"down", "jacinth"}).out, "jacinth is down (3.0 ms)\n");
  EXPECT_EQ(asked_.down().name(), "jacinth");
  EXPECT_FALSE(asked_.down().all());
  answer.mutable_done()->set_was_so_already(true);
  EXPECT_EQ(run({answer}, {"down", "jacinth"}).out, "jacinth is down already\n");
}

control::Response progress(std::uint32_t number, std::uint32_t total, const std::string& name,
                           const std::string& message = "") {
  control::Response response;
  auto& progress = *response.mutable_progress();
  progress.set_done(number);
  progress.set_total(total);
  progress.set_name(name);
  progress.set_message(message);
  return response;
}

TEST_F(Command, DownAllTellsWhichFailed) {
  const auto ended = run({progress(1, 2, "jacinth"), progress(2, 2, "ju", "ju did not answer"),
                          done(control::UNREACHABLE, "1 of 2 peers did not answer")},
                         {"down", "--all"});
  EXPECT_TRUE(asked_.down().all());
  EXPECT_EQ(ended.exit_status, 5);
  EXPECT_EQ(ended.err, "anubis: ju did not answer\nanubis: 1 of 2 peers did not answer\n");
}

TEST_F(Command, DownAllTellsHowMany) {
  EXPECT_EQ(run({progress(1, 2, "a"), progress(2, 2, "b"), done()}, {"down", "--all"}).out,
            "2 peers are down (0.0 ms)\n");
  EXPECT_EQ(run({done()}, {"down", "--all"}).out, "no peer was up\n");
}

TEST_F(Command, StatusIsATableWithReasonsBelow) {
  const auto ended =
      run({host("xena"), peer("jacinth", "up"), peer("ju", "failed", "ju did not answer"), done()}, {"status"});
  EXPECT_EQ(ended.exit_status, 0);
  EXPECT_EQ(ended.out,
            "NAME     STATE   SINCE         LEASE  HANDSHAKE   RX   TX  ENDPOINT\n"
            "jacinth  up      daemon start  -      never      0 B  0 B  -\n"
            "ju       failed  daemon start  -      never      0 B  0 B  -\n"
            "\n"
            "ju did not answer\n");
  EXPECT_EQ(ended.err, "");
}

TEST_F(Command, StatusOfADegradedHostSaysSoOnStandardError) {
  const auto ended = run({host("xena", "wg0 is gone"), done()}, {"status"});
  EXPECT_EQ(ended.exit_status, 0);
  EXPECT_THAT(ended.out, HasSubstr("no peers are configured"));
  EXPECT_EQ(ended.err, "anubis: this host is degraded: wg0 is gone\n");
}

TEST_F(Command, StatusOfOnePeerIsADetailedView) {
  const auto ended = run({host("xena"), peer("jacinth", "up"), done()}, {"status", "jacinth"});
  EXPECT_EQ(asked_.status().name(), "jacinth");
  EXPECT_THAT(ended.out, HasSubstr("  state        up, initiated by jacinth"));
}

TEST_F(Command, StatusJsonIsOneDocument) {
  const auto ended = run({host("xena"), peer("jacinth", "up"), done()}, {"status", "--json"});
  EXPECT_EQ(ended.exit_status, 0);
  const auto document = json::parse(ended.out);
  EXPECT_EQ(document["host"], "xena");
  EXPECT_EQ(document["peers"][0]["name"], "jacinth");
}

TEST_F(Command, StatusJsonOfAnUnknownPeer) {
  const auto ended = run({host("xena"), done(control::NO_SUCH_PEER, "no peer tom")}, {"status", "tom", "--json"});
  EXPECT_EQ(ended.exit_status, 6);
  EXPECT_EQ(json::parse(ended.out)["error"], "no peer tom");
  EXPECT_EQ(ended.err, "anubis: no peer tom\n");
}

TEST_F(Command, IsUpTellsByItsExitStatusAlone) {
  const struct {
    std::vector<control::Response> answer;
    int exit_status;
  } cases[] = {{{host("xena"), peer("jacinth", "up"), done()}, 0},
               {{host("xena"), peer("jacinth", "down"), done()}, 3},
               {{host("xena"), peer("jacinth", "going-up"), done()}, 3},
               {{host("xena"), done(control::NO_SUCH_PEER, "no peer jacinth")}, 6},
               {{host("xena"), done()}, 6}};
  for (const auto& c : cases) {
    const auto ended = run(c.answer, {"is-up", "jacinth"});
    EXPECT_EQ(ended.exit_status, c.exit_status);
    EXPECT_EQ(ended.out + ended.err, "");
  }
}

TEST_F(Command, IsUpSaysItInWordsWhenAsked) {
  EXPECT_EQ(run({peer("jacinth", "going-up"), done()}, {"is-up", "-v", "jacinth"}).out, "jacinth is going-up\n");
  EXPECT_EQ(run({done(control::NO_SUCH_PEER, "no peer jacinth")}, {"is-up", "-v", "jacinth"}).err,
            "anubis: no peer jacinth\n");
}

TEST_F(Command, PeersShowsKeysInFullOnlyWhenAsked) {
  control::Response response;
  auto& jacinth = *response.mutable_authorised();
  jacinth.set_name("jacinth");
  jacinth.set_public_key("qOvbD3mcM1b4V0xZ0W2bGZ5X0YxJ2E0GkG6g0J3Gk2c=");
  jacinth.set_side_address("fd77::2");
  jacinth.add_allowed_ips("10.44.0.0/24");
  const auto brief = run({response, done()}, {"peers"});
  EXPECT_EQ(brief.out,
            "NAME     GROUP  LEASE       ENDPOINT  ALLOWED IPS   KEY\n"
            "jacinth  -      until down  roaming   10.44.0.0/24  qOvbD3mc…\n");
  EXPECT_THAT(run({response, done()}, {"peers", "--keys"}).out,
              HasSubstr("fd77::2       qOvbD3mcM1b4V0xZ0W2bGZ5X0YxJ2E0GkG6g0J3Gk2c="));
  EXPECT_EQ(json::parse(run({response, done()}, {"peers", "--json"}).out)["peers"][0]["name"], "jacinth");
  EXPECT_THAT(run({done()}, {"peers"}).out, HasSubstr("no peers are configured"));
}

TEST_F(Command, HostsAreLinesForEtcHosts) {
  control::Response response;
  auto& selen = *response.mutable_named_host();
  selen.set_name("selen");
  selen.set_wireguard_name("selenwg");
  selen.add_lan_addresses("192.168.7.3");
  selen.add_addresses("fd44::3");
  const auto ended = run({response, done()}, {"hosts"});
  EXPECT_EQ(ended.exit_status, 0);
  EXPECT_TRUE(asked_.has_hosts());
  EXPECT_THAT(ended.out, HasSubstr("\n192.168.7.3  selen\nfd44::3      selenwg\n"));
  EXPECT_EQ(json::parse(run({response, done()}, {"hosts", "--json"}).out)["hosts"][0]["name"], "selen");
}

TEST_F(Command, MonitorPrintsALineAnEventAndEndsWithTheDaemon) {
  control::Response response;
  auto& event = *response.mutable_event();
  event.set_time(1'795'177'296);
  event.set_peer("jacinth");
  event.set_kind("state");
  event.set_state("down");
  const auto ended = run({host("xena"), response, response}, {"monitor"});
  EXPECT_EQ(ended.exit_status, 8);
  EXPECT_EQ(ended.out, "2026-11-20 12:21:36 jacinth down\n2026-11-20 12:21:36 jacinth down\n");
  EXPECT_THAT(ended.err, HasSubstr("anubisd closed the connection"));
  const auto as_json = run({host("xena"), response}, {"monitor", "--json"});
  EXPECT_EQ(as_json.exit_status, 8);
  const auto end_of_first = as_json.out.find('\n');
  EXPECT_EQ(json::parse(as_json.out.substr(0, end_of_first))["peer"], "jacinth");
  EXPECT_EQ(json::parse(as_json.out.substr(end_of_first))["daemon"], "not running");
}

TEST_F(Command, ReloadTellsWhatTheDaemonSays) {
  EXPECT_EQ(run({done(control::DONE, "2 peers added")}, {"reload"}).out, "2 peers added\n");
  EXPECT_EQ(run({done()}, {"reload"}).out, "configuration reloaded\n");
  const auto broken = run({done(control::FAILED, "anubis.toml:3:1: unknown key")}, {"reload"});
  EXPECT_EQ(broken.exit_status, 1);
  EXPECT_EQ(broken.err, "anubis: anubis.toml:3:1: unknown key\n");
}

TEST_F(Command, ColourIsOffInAPipeUnlessForced) {
  EXPECT_THAT(run({peer("jacinth", "up"), done()}, {"status"}).out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(run({peer("jacinth", "up"), done()}, {"status", "--color=always"}).out, HasSubstr("\x1b[32mup"));
}

}  // namespace
}  // namespace anubis::cli

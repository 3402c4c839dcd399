#include "anubis-cli/arguments.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

#include <gmock/gmock.h>

namespace anubis::cli {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

auto parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "anubis");
  return parse_arguments(static_cast<int>(arguments.size()), arguments.data());
}

template <class Options>
Options parsed(const std::vector<const char*>& arguments) {
  const auto invocation = parse(arguments);
  EXPECT_TRUE(invocation) << invocation.error().text;
  return std::get<Options>(invocation.value().command);
}

TEST(Arguments, UpHasItsDefaults) {
  const auto up = parsed<UpOptions>({"up", "jacinth"});
  EXPECT_EQ(up.name, "jacinth");
  EXPECT_EQ(up.lease_seconds, std::nullopt);
  EXPECT_EQ(up.timeout, milliseconds(10'000));
}

TEST(Arguments, AConfigurationIsNamedFromTheRoot) {
  const auto here = std::filesystem::current_path().string();
  EXPECT_EQ(parsed<InitOptions>({"init", "--config", "sub/anubis.toml"}).config, here + "/sub/anubis.toml");
  EXPECT_EQ(parsed<ExportOptions>({"export", "hub", "--config", "./anubis.toml"}).config, here + "/anubis.toml");
}

TEST(Arguments, WithCompanionThePhoneStaysAsItIs) {
  EXPECT_TRUE(parsed<ProvisionOptions>({"provision", "selen", "--companion", "--replace"}).replace);
  for (const auto& arguments : {std::vector<const char*>{"provision", "selen", "--replace"},
                                {"provision", "selen", "--companion", "--lease", "1h"},
                                {"provision", "selen", "--companion", "--reach", "0.0.0.0/0"}}) {
    const auto invocation = parse(arguments);
    ASSERT_FALSE(invocation);
    EXPECT_EQ(invocation.error().exit_status, 2);
    EXPECT_THAT(invocation.error().text, HasSubstr("--replace"));
  }
}

TEST(Arguments, FirewallWantsToKnowWhat) {
  EXPECT_EQ(parsed<FirewallOptions>({"firewall", "show"}).action, FirewallAction::kShow);
  EXPECT_TRUE(parsed<FirewallOptions>({"firewall", "show", "--json"}).json);
  EXPECT_EQ(parsed<FirewallOptions>({"firewall", "apply"}).action, FirewallAction::kApply);
  EXPECT_EQ(parsed<FirewallOptions>({"firewall", "remove"}).action, FirewallAction::kRemove);
  for (const auto& arguments : {std::vector<const char*>{"firewall"}, std::vector<const char*>{"firewall", "flush"}}) {
    const auto invocation = parse(arguments);
    ASSERT_FALSE(invocation);
    EXPECT_EQ(invocation.error().exit_status, 2);
    EXPECT_THAT(invocation.error().text, HasSubstr("show, apply"));
  }
}

TEST(Arguments, LeaseAndTimeoutAreDurations) {
  const auto up = parsed<UpOptions>({"up", "--lease", "1h30m", "jacinth", "--timeout=3s"});
  EXPECT_EQ(up.lease_seconds, 5'400U);
  EXPECT_EQ(up.timeout, milliseconds(3'000));
}

TEST(Arguments, LeaseNoneIsUntilDown) {
  EXPECT_EQ(parsed<UpOptions>({"up", "a", "--lease", "none"}).lease_seconds, 0U);
}

TEST(Arguments, UpMayBeForSoLongOrPersist) {
  EXPECT_EQ(parsed<UpOptions>({"up", "a", "--for", "2h"}).wanted_for_seconds, 7'200U);
  EXPECT_EQ(parsed<UpOptions>({"up", "a"}).wanted_for_seconds, std::nullopt);
  EXPECT_TRUE(parsed<UpOptions>({"up", "a", "--persist"}).persist);
}

TEST(Arguments, DrainSaysWhereTo) {
  const auto drain = parsed<DrainOptions>({"drain", "--to", "surya", "--timeout", "3s"});
  EXPECT_EQ(drain.to, "surya");
  EXPECT_EQ(drain.timeout, milliseconds(3'000));
}

TEST(Arguments, CheckHasItsDefaultsAndTakesAnAddress) {
  const auto plain = parsed<CheckOptions>({"check", "jacinth"});
  EXPECT_EQ(plain.name, "jacinth");
  EXPECT_EQ(plain.to, std::nullopt);
  EXPECT_EQ(plain.count, 10U);
  EXPECT_EQ(plain.timeout, milliseconds(1'000));
  EXPECT_EQ(plain.most_loss_percent, 20);
  EXPECT_TRUE(plain.capture);
  const auto all = parsed<CheckOptions>({"check", "jacinth", "--to", "fd44::9", "--count", "3", "--timeout", "2s",
                                         "--max-loss", "5.5", "--no-capture", "--json"});
  EXPECT_EQ(all.to->to_string(), "fd44::9");
  EXPECT_EQ(all.count, 3U);
  EXPECT_EQ(all.timeout, milliseconds(2'000));
  EXPECT_EQ(all.most_loss_percent, 5.5);
  EXPECT_FALSE(all.capture);
  EXPECT_TRUE(all.json);
}

TEST(Arguments, CheckRefusesWhatCannotBeLookedAt) {
  for (const char* to : {"jacinth", "0.0.0.0", "127.0.0.1", "ff02::1", "fe80::1"}) {
    const auto refused = parse({"check", "jacinth", "--to", to});
    ASSERT_FALSE(refused) << to;
    EXPECT_EQ(refused.error().exit_status, 2);
    EXPECT_THAT(refused.error().text, HasSubstr("--to")) << to;
  }
  EXPECT_FALSE(parse({"check", "jacinth", "--count", "0"}));
  EXPECT_FALSE(parse({"check", "jacinth", "--max-loss", "101"}));
  EXPECT_FALSE(parse({"check"}));
}

TEST(Arguments, DownTakesANameOrAll) {
  EXPECT_EQ(parsed<DownOptions>({"down", "jacinth"}).name, "jacinth");
  EXPECT_TRUE(parsed<DownOptions>({"down", "--all"}).all);
  EXPECT_EQ(parsed<DownOptions>({"down", "--all", "--timeout", "1m"}).timeout, milliseconds(60'000));
}

TEST(Arguments, OtherCommandsAreUnderstood) {
  EXPECT_EQ(parsed<StatusOptions>({"status"}).name, "");
  const auto status = parsed<StatusOptions>({"status", "jacinth", "--json", "-w"});
  EXPECT_EQ(status.name, "jacinth");
  EXPECT_TRUE(status.json && status.watch);
  EXPECT_EQ(parsed<IsUpOptions>({"is-up", "jacinth"}).name, "jacinth");
  EXPECT_TRUE(parsed<PeersOptions>({"peers", "--keys"}).keys);
  EXPECT_TRUE(parsed<MonitorOptions>({"monitor", "--json"}).json);
  parsed<ReloadOptions>({"reload"});
}

TEST(Arguments, GlobalOptionsStandAnywhere) {
  unsetenv("ANUBIS_SOCKET");
  EXPECT_EQ(parse({"status"})->socket_path, "/run/anubis/control.sock");
  EXPECT_EQ(parse({"--socket", "/a", "status"})->socket_path, "/a");
  EXPECT_EQ(parse({"status", "--socket=/b"})->socket_path, "/b");
  EXPECT_EQ(parse({"status", "--color=always"})->colour, ColourChoice::kAlways);
  EXPECT_EQ(parse({"--color", "never", "status"})->colour, ColourChoice::kNever);
}

TEST(Arguments, EnvironmentMovesTheSocketAndTheOptionWins) {
  setenv("ANUBIS_SOCKET", "/environment", 1);
  EXPECT_EQ(parse({"status"})->socket_path, "/environment");
  EXPECT_EQ(parse({"status", "--socket", "/option"})->socket_path, "/option");
  unsetenv("ANUBIS_SOCKET");
}

TEST(Arguments, ANameThatLooksLikeAnOption) { EXPECT_EQ(parsed<UpOptions>({"up", "--", "--json"}).name, "--json"); }

TEST(Arguments, MistakesAreUsageErrorsThatSayWhatIsWrong) {
  const struct {
    std::vector<const char*> arguments;
    const char* says;
  } cases[] = {
      {{}, "which command? up, switch, down, drain, status"},
      {{"upp"}, "there is no command upp: up, switch, down"},
      {{"--nope"}, "--nope"},
      {{"up"}, "anubis up: which peer?"},
      {{"up", ""}, "anubis up: which peer?"},
      {{"is-up"}, "anubis is-up: which peer?"},
      {{"down"}, "anubis down: which peer?"},
      {{"down", "jacinth", "--all"}, "either NAME or --all"},
      {{"up", "a", "b"}, "not expected: b"},
      {{"up", "a", "--lease"}, "--lease"},
      {{"up", "a", "--lease", "2x"}, "--lease: \"2x\""},
      {{"up", "a", "--lease", "0s"}, "--lease none"},
      {{"up", "a", "--timeout", "10"}, "--timeout: \"10\""},
      {{"up", "a", "--timeout", "0s"}, "within 1s and 1h"},
      {{"up", "a", "--timeout", "2h"}, "within 1s and 1h"},
      {{"up", "a", "--for", "0s"}, "--for: \"0s\""},
      {{"up", "a", "--for", "1h", "--persist"}, "either --for or --persist"},
      {{"drain"}, "where to?"},
      {{"status", "--color=blue"}, "--color: \"blue\""},
      {{"status", "--socket", ""}, "--socket"},
      {{"reload", "now"}, "not expected: now"},
      {{"up", "a", "\x1b[31m"}, "\\x1b[31m"},
  };
  for (const auto& c : cases) {
    const auto result = parse(c.arguments);
    ASSERT_FALSE(result) << c.says;
    EXPECT_EQ(result.error().exit_status, 2) << c.says;
    EXPECT_THAT(result.error().text, HasSubstr(c.says));
    EXPECT_THAT(result.error().text, HasSubstr("Help: anubis"));
  }
}

TEST(Arguments, HelpTellsTheExitStatuses) {
  const auto help = parse({"--help"}).error();
  EXPECT_EQ(help.exit_status, 0);
  for (const char* line : {"0  done", "1  failed", "2  usage", "3  not up", "4  refused by the peer", "6  no such peer",
                           "7  not permitted", "8  daemon not running"}) {
    EXPECT_THAT(help.text, HasSubstr(line));
  }
}

TEST(Arguments, EveryCommandHasHelpWithAnExample) {
  for (const char* command : {"up", "down", "drain", "status", "is-up", "peers", "monitor", "reload"}) {
    const auto help = parse({command, "--help"}).error();
    EXPECT_EQ(help.exit_status, 0);
    EXPECT_THAT(help.text, HasSubstr(std::string("Usage: anubis ") + command));
    EXPECT_THAT(help.text, HasSubstr("Example:\n"));
  }
}

TEST(Arguments, VersionIsOneLine) {
  const auto version = parse({"--version"}).error();
  EXPECT_EQ(version.exit_status, 0);
  EXPECT_THAT(version.text, StartsWith("anubis "));
  EXPECT_EQ(version.text.back(), '\n');
}

}  // namespace
}  // namespace anubis::cli

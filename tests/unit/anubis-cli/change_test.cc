// Changes to the configuration by `anubis`, as a program: done as a whole or not at all, whatever comes in between, and
// what was not to be changed stays.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <tuple>
#include <utility>

#include <gmock/gmock.h>

#include "tests/unit/anubis-cli/run_program.h"
#include "tests/unit/anubis-cli/scripted_daemon.h"

namespace anubis::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Changing : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [host, address] : {std::pair{"jacinth", "10.44.0.1/24"}, {"hub", "10.44.0.5/24"}}) {
      const auto made = on(host, {"init", "--name", host, "--address", address, "--endpoint", "192.0.2.1"});
      ASSERT_EQ(made.exit_status, 0) << made.err;
    }
  }
  Ended on(const std::string& host, Arguments arguments, const Surroundings& surroundings = {}) const {
    arguments.insert(arguments.end(), {"--config", folder(host) + "anubis.toml", "--socket", socket()});
    return run_anubis(arguments, surroundings);
  }
  [[nodiscard]] std::string folder(const std::string& host) const { return directory_.path() + "/" + host + "/"; }
  [[nodiscard]] std::string socket() const { return directory_.path() + "/sock"; }
  [[nodiscard]] std::string entry_file(const std::string& name) const {
    return folder("jacinth") + "conf.d/" + name + ".toml";
  }
  [[nodiscard]] std::string entry(const std::string& name) const {
    std::ifstream stream(entry_file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void write_entry(const std::string& name, const std::string& text) const { std::ofstream(entry_file(name)) << text; }
  // The value of a line of the card of hub.
  [[nodiscard]] std::string on_card(const std::string& key) const {
    const std::string card = on("hub", {"card"}).out;
    const std::size_t begin = card.find("\n" + key + ": ") + key.size() + 3;
    return card.substr(begin, card.find('\n', begin) - begin);
  }

  TemporaryDirectory directory_;
};

// Waits until FILE is there, or is not, and then ends the program by SIGNAL.
std::function<void(pid_t)> signal_once(const std::string& file, bool is_there, int signal) {
  return [=](pid_t pid) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::filesystem::exists(file) != is_there && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    kill(pid, signal);
  };
}

TEST_F(Changing, ASignalWhileTheDaemonIsSilentTakesAllBack) {
  const ScriptedDaemon daemon(socket(), {{"", ScriptedDaemon::Then::kStayOpen}});
  const std::string picture = directory_.path() + "/selen.png";
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const auto ended = on("jacinth", {"provision", "selen", "--output", picture},
                          {.meanwhile = signal_once(entry_file("selen"), true, signal)});
    EXPECT_EQ(ended.exit_status, 128 + signal);
    EXPECT_EQ(ended.err, "anubis: interrupted\n    nothing was changed\n");
    EXPECT_FALSE(std::filesystem::exists(entry_file("selen")));
    EXPECT_FALSE(std::filesystem::exists(picture));
  }
}

TEST_F(Changing, ASignalThatIsIgnoredIsIgnored) {
  const ScriptedDaemon daemon(socket(), {{framed({done()})}});
  const auto before = std::signal(SIGHUP, SIG_IGN);  // as nohup does, and the program inherits it
  const auto ended = on("jacinth", {"provision", "selen", "--text"},
                        {.meanwhile = signal_once(folder("jacinth") + "anubis.toml", true, SIGHUP)});
  std::ignore = std::signal(SIGHUP, before);
  EXPECT_EQ(ended.exit_status, 0) << ended.err;
  EXPECT_TRUE(std::filesystem::exists(entry_file("selen")));
}

TEST_F(Changing, WhatItsOwnerChangedWhileItAskedStays) {
  write_entry("hub", "[[peer]]\nname = \"hub\"\nplain = true\npublic_key = \"" + on_card("public-key") +
                         "\"\nallowed_ips = [\"10.44.0.5/32\"]\n");
  std::ofstream(directory_.path() + "/hub.card") << on("hub", {"card"}).out;
  OnTerminal terminal(
      {"trust", directory_.path() + "/hub.card", "--config", folder("jacinth") + "anubis.toml", "--socket", socket()});
  EXPECT_TRUE(terminal.shows("[y/N]"));
  const std::string changed = entry("hub") + "lease = \"1h\"\n";
  write_entry("hub", changed);
  terminal.type("y\n");
  EXPECT_EQ(terminal.end(), 1);
  EXPECT_THAT(terminal.output(), HasSubstr("hub.toml was changed meanwhile; try again"));
  EXPECT_EQ(entry("hub"), changed);
}

TEST_F(Changing, AKeyThatCannotBeHandedOutMakesNoPeer) {
  const auto ended = on("jacinth", {"provision", "selen", "--text"}, {.standard_output = "/dev/full"});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_EQ(ended.err, "anubis: cannot write to standard output\n    nothing was changed\n");
  EXPECT_FALSE(std::filesystem::exists(entry_file("selen")));
  EXPECT_EQ(on("jacinth", {"provision", "selen", "--text"}).exit_status, 0);
}

TEST_F(Changing, ARevokedPeerIsToldToTheDaemonEvenWhenWeAreInterrupted) {
  ASSERT_EQ(on("jacinth", {"provision", "selen", "--text"}).exit_status, 0);
  const ScriptedDaemon daemon(socket(), {{"", ScriptedDaemon::Then::kStayOpen}, {framed({done()})}});
  const auto ended = on("jacinth", {"revoke", "selen"}, {.meanwhile = signal_once(entry_file("selen"), false, SIGINT)});
  EXPECT_EQ(ended.exit_status, 128 + SIGINT);
  ASSERT_EQ(daemon.commands().size(), 2u);
  EXPECT_TRUE(daemon.commands()[1].has_reload());
}

TEST_F(Changing, ACardCompletesAPeerAndLeavesWhatItsOwnerWrote) {
  for (const auto& [file, key] : {std::pair{"hub.psk", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=\n"},
                                  {"side.psk", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI=\n"}}) {
    std::ofstream(folder("jacinth") + file) << key;
    std::filesystem::permissions(folder("jacinth") + file, std::filesystem::perms(0600));
  }
  const std::string key = on_card("public-key");
  write_entry("hub", "# the one in the cellar\n[[peer]]\nname = \"hub\"\nplain = true\npublic_key = \"" + key +
                         "\"\nallowed_ips = [\n  \"10.45.0.0/16\",\n]\nlease = \"1h\"   # not longer\n"
                         "production_preshared_key_file = \"hub.psk\"\nside_preshared_key_file = \"side.psk\"\n");
  std::ofstream(directory_.path() + "/hub.card") << on("hub", {"card"}).out;
  const auto trusted = on("jacinth", {"trust", "--yes", directory_.path() + "/hub.card"});
  ASSERT_EQ(trusted.exit_status, 0) << trusted.err;
  EXPECT_THAT(entry("hub"), AllOf(HasSubstr("# the one in the cellar\n[[peer]]"),
                                  HasSubstr("\nlease = \"1h\"   # not longer\n"), HasSubstr("\n  \"10.45.0.0/16\",\n"),
                                  Not(HasSubstr("plain")), Not(HasSubstr("production_preshared")),
                                  HasSubstr("side_public_key = \"" + on_card("side-public-key") + "\"\n"),
                                  HasSubstr("endpoint = \"192.0.2.1\"\n")));
  EXPECT_THAT(trusted.err, HasSubstr("its preshared key is still in " + folder("jacinth") + "hub.psk: delete it"));
  EXPECT_THAT(trusted.err, Not(HasSubstr("side.psk")));  // which is in use
}

TEST_F(Changing, ACardCompletesAPeerWithinAnothersRanges) {
  const std::string key = on_card("public-key");
  ASSERT_EQ(on("jacinth", {"provision", "wide", "--address", "10.44.0.9", "--text"}).exit_status, 0);
  write_entry("hub", "[[peer]]\nname = \"hub\"\nplain = true\nnested = true\npublic_key = \"" + key +
                         "\"\nallowed_ips = [\"10.44.0.8/31\"]\n");
  std::string wide = entry("wide");
  write_entry("wide", wide + "nested = true\n");
  std::ofstream(directory_.path() + "/hub.card") << on("hub", {"card"}).out;
  const auto trusted = on("jacinth", {"trust", "--yes", directory_.path() + "/hub.card"});
  EXPECT_EQ(trusted.exit_status, 0) << trusted.err;
  EXPECT_THAT(entry("hub"), AllOf(HasSubstr("nested = true\n"), HasSubstr("side_public_key")));
}

TEST_F(Changing, APageThatWasLostIsReplaced) {
  std::ofstream(folder("jacinth") + "anubis.toml", std::ios::app) << "[companion]\nenabled = true\n";
  ASSERT_EQ(on("jacinth", {"provision", "selen", "--text"}).exit_status, 0);
  const auto first = on("jacinth", {"provision", "selen", "--companion", "--text"});
  ASSERT_EQ(first.exit_status, 0) << first.err;
  const std::string before = entry("selen");
  const auto again = on("jacinth", {"provision", "selen", "--companion", "--text"});
  EXPECT_EQ(again.exit_status, 1);
  EXPECT_THAT(again.err, HasSubstr("anubis provision selen --companion --replace"));
  const auto replaced = on("jacinth", {"provision", "selen", "--companion", "--text", "--replace"});
  ASSERT_EQ(replaced.exit_status, 0) << replaced.err;
  EXPECT_NE(replaced.out, first.out);
  EXPECT_NE(entry("selen"), before);
  EXPECT_EQ(entry("selen").size(), before.size());
}

TEST_F(Changing, WhatStandsBesideAPeerIsSeenHoweverItIsWritten) {
  ASSERT_EQ(on("jacinth", {"provision", "selen", "--text"}).exit_status, 0);
  write_entry("selen", entry("selen") + "  [[host]]\n  name = \"lan1\"\n  addresses = [\"10.44.0.11\"]\n");
  const auto revoked = on("jacinth", {"revoke", "selen"});
  EXPECT_EQ(revoked.exit_status, 1);
  EXPECT_THAT(revoked.err, HasSubstr("take its [[peer]] and its [[invitation]] out by hand"));
  EXPECT_THAT(entry("selen"), HasSubstr("lan1"));
}

}  // namespace
}  // namespace anubis::cli

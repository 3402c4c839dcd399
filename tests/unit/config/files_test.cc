// conf.d, permissions of the configuration itself, and input that nobody meant.
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

using base::ErrorCode;
using testing::AnyOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string peer(const std::string& name, unsigned key) {
  return "[[peer]]\nname = \"" + name + "\"\npublic_key = \"" + public_key(key) + "\"\nside_public_key = \"" +
         public_key(key + 1) + "\"\n";
}

std::vector<std::string> names_of(const Config& config) {
  std::vector<std::string> names;
  for (const auto& each : config.peers) names.push_back(each.name);
  return names;
}

TEST_F(ConfigTest, PeersOfConfDFollowInTheOrderOfTheFileNames) {
  folder_.write("conf.d/20-b.toml", peer("b", 21) + peer("b2", 23));
  folder_.write("conf.d/10-a.toml", peer("a", 11));
  folder_.write("conf.d/30-empty.toml", "");
  folder_.write("conf.d/notes.txt", "not TOML");
  folder_.write("conf.d/.hidden.toml", "not TOML");
  const auto loaded = load_xena_and(peer("first", 1));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT(names_of(*loaded), ElementsAre("first", "a", "b", "b2"));
}

TEST_F(ConfigTest, ConfDHoldsNothingButPeers) {
  folder_.write("conf.d/a.toml", "name = \"amber\"\n[production]\nlisten_port = 7\n");
  EXPECT_EQ(error_of_xena_and(""),
            "conf.d/a.toml:1:1: key name: only [[peer]], [[host]] and [[invitation]] may stand in conf.d; move it to "
            "anubis.toml\n"
            "conf.d/a.toml:2:2: key production: only [[peer]], [[host]] and [[invitation]] may stand in conf.d; move "
            "it to anubis.toml");
}

TEST_F(ConfigTest, PeersOfTwoFilesAreComparedAndBothFilesNamed) {
  folder_.write("conf.d/a.toml", "\n" + peer("jacinth", 3));
  folder_.write("conf.d/b.toml", peer("b", 5) + peer("c", 3));
  EXPECT_EQ(
      error_of_xena_and(peer("jacinth", 1)),
      "conf.d/a.toml:3:8: key peer[1].name: \"jacinth\" is the name of another peer already, at anubis.toml:10; "
      "give each its own\n"
      "conf.d/b.toml:7:14: key peer[2].public_key: is the same key as peer[1].public_key at conf.d/a.toml:4; every "
      "interface of every host needs a key of its own\n"
      "conf.d/b.toml:8:19: key peer[2].side_public_key: is the same key as peer[1].side_public_key at "
      "conf.d/a.toml:5; every interface of every host needs a key of its own");
}

TEST_F(ConfigTest, F61_ABrokenFileInConfDRefusesTheWholeConfiguration) {
  folder_.write("conf.d/a.toml", peer("a", 3));
  folder_.write("conf.d/b.toml", "[[peer]\n");
  const std::string error = error_of_xena_and(peer("jacinth", 1) + "lease = \"x\"\n");
  // Nor does it hide what is wrong elsewhere.
  EXPECT_THAT(error, StartsWith("anubis.toml:13:9: key peer[1].lease: "));
  EXPECT_THAT(error, HasSubstr("\nconf.d/b.toml:1:"));
}

TEST_F(ConfigTest, F61_AFileThatIsMissingIsToldAsMissing) {
  const auto loaded = load(folder_ / "nothing.toml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(folder_.strip(loaded.error().message),
            "cannot open the configuration nothing.toml: No such file or directory");
}

TEST_F(ConfigTest, WhoElseMayChangeTheConfigurationIsWarnedOf) {
  folder_.write("conf.d/a.toml", peer("a", 1), std::filesystem::perms(0660));
  std::filesystem::permissions(folder_ / "conf.d", std::filesystem::perms(0757));
  folder_.write("anubis.toml", kXena, std::filesystem::perms(0622));
  const auto loaded = load(folder_ / "anubis.toml");
  ASSERT_TRUE(loaded) << loaded.error().message;
  ASSERT_EQ(loaded->warnings.size(), 3u);
  constexpr const char* kEnd = "who thereby decide which peers there are; run: chmod go-w ";
  EXPECT_EQ(folder_.strip(loaded->warnings[0]),
            std::string("anubis.toml can be changed by group or others (mode 0622), ") + kEnd + "anubis.toml");
  EXPECT_THAT(folder_.strip(loaded->warnings[1]), EndsWith(std::string(kEnd) + "conf.d"));
  EXPECT_THAT(folder_.strip(loaded->warnings[2]), EndsWith(std::string(kEnd) + "conf.d/a.toml"));
}

TEST_F(ConfigTest, RelativeKeyFilesAreRelativeToTheConfiguration) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path("/");
  EXPECT_TRUE(load_xena_and(""));
  std::filesystem::current_path(folder_ / ".");
  folder_.write("anubis.toml", kXena);
  EXPECT_TRUE(load("anubis.toml"));
  std::filesystem::current_path(before);
}

TEST_F(ConfigTest, F59_AnUnsafeKeyFileIsToldWithTheKeyThatNamesIt) {
  std::filesystem::permissions(folder_ / "xena.key", std::filesystem::perms(0644));
  EXPECT_EQ(error_of_xena_and(""),
            "anubis.toml:4:20: key production.private_key_file: xena.key is open to group or others (mode 0644); run: "
            "chmod 600 xena.key");
  std::filesystem::permissions(folder_ / "xena.key", std::filesystem::perms(0600));
  folder_.write("jacinth.psk", private_key(7), std::filesystem::perms(0640));
  EXPECT_EQ(
      error_of_xena_and(peer("jacinth", 1) + "preshared_key_file = \"jacinth.psk\""),
      "anubis.toml:13:22: key peer[1].preshared_key_file: jacinth.psk is open to group or others (mode 0640); run: "
      "chmod 600 jacinth.psk");
}

TEST_F(ConfigTest, WhatIsNoRegularFileIsRefusedAtOnce) {
  ASSERT_EQ(mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  for (const char* name : {"fifo", "/dev/zero", "/"}) {
    const auto loaded = load(folder_ / name);
    ASSERT_FALSE(loaded);
    EXPECT_THAT(loaded.error().message, EndsWith(" is not a regular file; the configuration must be one"));
  }
}

TEST_F(ConfigTest, AHugeFileIsRefused) {
  const auto file = folder_.write("anubis.toml", kXena);
  std::filesystem::resize_file(file, (64u << 20) + 1);  // sparse
  EXPECT_EQ(folder_.strip(load(file).error().message),
            "anubis.toml is larger than 64 MiB; spread the peers over files in conf.d");
}

TEST_F(ConfigTest, DeepNestingIsRefusedNotRecursedInto) {
  constexpr std::size_t kDepth = 1'000'000;
  std::string dots;
  std::string quoted;
  std::string tables;
  for (std::size_t i = 0; i < kDepth; ++i) {
    dots += "a.";
    quoted += "\"a\" .";
    tables += "a={";
  }
  EXPECT_EQ(error_of("\n" + dots + "a = 1"),
            "anubis.toml:2:1: there are too many dots outside strings; no key is nested that deeply");
  EXPECT_THAT(error_of(quoted + "a = 1"), HasSubstr("too many dots outside strings"));
  EXPECT_THAT(error_of("x = \"\"\"\n\"\" \\\"\"\"\"\"\"\n[" + dots + "a]"),
              StartsWith("anubis.toml:3:1: there are too many dots"));
  EXPECT_THAT(error_of("x = '''\n''\\''''\n[" + dots + "a]"), StartsWith("anubis.toml:3:1: there are too many dots"));
  EXPECT_THAT(error_of(tables), StartsWith("anubis.toml:1:"));
  EXPECT_THAT(error_of("a = " + std::string(kDepth, '[')), StartsWith("anubis.toml:1:"));
}

TEST_F(ConfigTest, DotsInStringsAndCommentsAreNoNesting) {
  EXPECT_EQ(
      error_of_xena_and("# ....................\n[[peer]] # ..........\nname = \"jacinth\"\npublic_key = \"KEY1\"\n"
                        "side_public_key = 'KEY2'\nallowed_ips = ['10.0.0.0/24', \"10.0.1.0/24\", '10.0.2.0/24']\n"),
      "");
}

TEST_F(ConfigTest, MangledInputIsAnsweredWithAnErrorOrAConfiguration) {
  const std::string valid = with_keys(std::string(kXena) + R"(
[control]
socket = "/run/x.sock"
[[peer]]
name = "jacinth"
public_key = "KEY1"
side_public_key = "KEY2"
endpoint = "[2001:db8::1]:7"
allowed_ips = ["0.0.0.0/0", "::/0", "10.0.0.0/8"]
persistent_keepalive = 25
lease = "1h30m"
group = "gateways"
)");
  constexpr std::string_view kPieces[] = {"\"",         "'",
                                          "\"\"\"",     "[",
                                          "]",          "[[",
                                          "{",          "}",
                                          "=",          ".",
                                          ",",          "\n",
                                          "\\",         "\\u0000",
                                          "\0",         "\xff",
                                          "1e999",      "9223372036854775808",
                                          "-1",         "inf",
                                          "0x",         "1979-05-27T07:32:00Z",
                                          "[[peer]]\n", "peer = 1\n",
                                          "#",          "\r"};
  constexpr unsigned kSeed = 4296;
  std::mt19937 random(kSeed);
  int refused = 0;
  for (int round = 0; round < 1'000; ++round) {
    std::string text = valid;
    for (auto changes = random() % 4 + 1; changes > 0; --changes) {
      const auto at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text.insert(at, kPieces[random() % std::size(kPieces)]);
          break;
        case 1:
          text.erase(at, random() % 20);
          break;
        default:
          text[at] = static_cast<char>(random());
          break;
      }
    }
    const auto loaded = load_text(text);
    if (loaded) continue;
    ++refused;
    EXPECT_THAT(folder_.strip(loaded.error().message), StartsWith("anubis.toml:")) << "round " << round << ":\n"
                                                                                   << text;
  }
  EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace anubis::config

// A program's changes to a file of conf.d: what it was not asked to change stays, and what is not the peer's is seen.
#include "lib/config/edit.h"

#include <vector>

#include <gtest/gtest.h>

namespace anubis::config {
namespace {

TEST(CountTables, CountsThoseOfThatNameHoweverTheyAreWritten) {
  EXPECT_EQ(count_tables_of("[[peer]]\nname = \"selen\"\n", "selen"), 1u);
  EXPECT_EQ(count_tables_of("# ours\n  [[peer]]\n  name=\"selen\" # the phone\n", "selen"), 1u);
  EXPECT_EQ(count_tables_of("[[ peer ]]\nplain = true\nname = 'selen'\n[[invitation]]\nname = \"selen\"\n", "selen"),
            2u);
}

TEST(CountTables, IsNoneWhereSomethingElseStandsThere) {
  EXPECT_EQ(count_tables_of("[[peer]]\nname = \"petra\"\n", "selen"), 0u);
  EXPECT_EQ(count_tables_of("[[peer]]\nname = \"selen\"\n  [[host]]\n  name = \"lan1\"\n", "selen"), 0u);
  EXPECT_EQ(count_tables_of("[[peer]]\nname = \"selen\"\n[[peer]]\nname = \"petra\"\n", "selen"), 0u);
  EXPECT_EQ(count_tables_of("[[peer]]\nname = \"selen\"\n[peer.beside]\nname = \"selen\"\n", "selen"), 0u);
  EXPECT_EQ(count_tables_of("[[peer]]\nname = \"\"\"\nselen\"\"\"\nx = \"[[host]]\"\n", "selen"), 1u);
  EXPECT_EQ(count_tables_of("[peer]\nname = \"selen\"\n", "selen"), 0u);
  EXPECT_EQ(count_tables_of("[[peer]]\nname = selen\n", "selen"), 0u);
  EXPECT_EQ(count_tables_of("peer = [{name = \"selen\"}]\n", "selen"), 0u);
  EXPECT_EQ(count_tables_of("", "selen"), 0u);
}

TEST(KeyFiles, AreThoseThatTheEntriesName) {
  EXPECT_EQ(key_files_of(
                "[[peer]]\nname = \"hub\"\nproduction_preshared_key_file = \"hub.psk\"\npreshared_key_file = \"a\"\n"),
            (std::vector<std::string>{"a", "hub.psk"}));
  EXPECT_TRUE(key_files_of("name = \"preshared_key_file\"\n").empty());
}

TEST(EditPeer, ChangesWhatIsNamedAndLeavesTheRest) {
  const std::vector<Setting> settings{{"plain", {}}, {"endpoint", "\"192.0.2.9\""}, {"side_public_key", "\"k\""}};
  EXPECT_EQ(edit_peer("# the hub\n[[peer]]\nname = \"hub\"\nplain = true # so far\n\nendpoint = \"192.0.2.1:51820\"\n"
                      "lease = \"1h\" # no longer\n",
                      settings),
            "# the hub\n[[peer]]\nname = \"hub\"\n\nendpoint = \"192.0.2.9\"\nlease = \"1h\" # no longer\n"
            "side_public_key = \"k\"\n");
}

TEST(EditPeer, PutsOneLineInThePlaceOfMany) {
  const std::vector<Setting> settings{{"allowed_ips", "[\"10.44.0.9/32\"]"}};
  EXPECT_EQ(edit_peer("[[peer]]\nallowed_ips = [\n  \"10.44.0.1/32\", # one\n  \"10.44.0.2/32\",\n]\nname = \"hub\"",
                      settings),
            "[[peer]]\nallowed_ips = [\"10.44.0.9/32\"]\nname = \"hub\"\n");
}

TEST(EditPeer, WithoutAKeyThereIsNothingToTakeOut) {
  const std::vector<Setting> settings{{"plain", {}}};
  EXPECT_EQ(edit_peer("[[peer]]\nname = \"hub\"\n", settings), "[[peer]]\nname = \"hub\"\n");
}

}  // namespace
}  // namespace anubis::config

// suites = […]: which suites this host allows.
#include "lib/config/suite_policy.h"

#include "lib/config/document.h"
#include "tests/unit/config/fixture.h"

namespace anubis::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kXChaCha = crypto::Suite::kXChaCha20Poly1305;
constexpr crypto::Suite kAes256Gcm{2};

bool on_any_hardware(crypto::Suite) { return true; }
bool without_aes(crypto::Suite suite) { return suite == kXChaCha; }

struct Read {
  std::vector<crypto::Suite> suites;
  std::vector<std::string> warnings;
  std::string error;
};

Read read(std::string_view text, bool (*is_available)(crypto::Suite) = on_any_hardware) {
  Report report;
  const auto document = parse_document(text, report.add_file("anubis.toml"), report);
  Section section(*document, "", report);
  Read read{read_suites(section, is_available), {}, {}};
  section.finish();
  read.warnings = report.take_warnings();
  if (report.has_errors()) read.error = report.take_error().message;
  return read;
}

TEST(SuitePolicy, IsByDefaultAllThatTheHardwareHas) {
  EXPECT_THAT(read("").suites, ElementsAre(kXChaCha, kAes256Gcm));
  const auto without = read("", without_aes);
  EXPECT_THAT(without.suites, ElementsAre(kXChaCha));
  EXPECT_THAT(without.warnings, IsEmpty());
  EXPECT_EQ(without.error, "");
}

TEST(SuitePolicy, IsWhatIsNamedEachOnce) {
  EXPECT_THAT(read("suites = [\"aes256gcm\"]").suites, ElementsAre(kAes256Gcm));
  EXPECT_THAT(read("suites = [\"xchacha20poly1305\", \"xchacha20poly1305\"]").suites, ElementsAre(kXChaCha));
  EXPECT_THAT(read("suites = [\"aes256gcm\", \"xchacha20poly1305\"]").suites, ElementsAre(kAes256Gcm, kXChaCha));
}

TEST(SuitePolicy, WhatTheHardwareLacksIsLeftOutWithAWarning) {
  const auto policy = read("suites = [\"aes256gcm\", \"xchacha20poly1305\"]", without_aes);
  EXPECT_THAT(policy.suites, ElementsAre(kXChaCha));
  EXPECT_THAT(
      policy.warnings,
      ElementsAre("anubis.toml:1:11: key suites: aes256gcm needs instructions that this hardware does not have: "
                  "it is left out"));
  EXPECT_EQ(policy.error, "");
}

TEST(SuitePolicy, NoneLeftIsAnError) {
  EXPECT_EQ(read("suites = [\"aes256gcm\"]", without_aes).error,
            "anubis.toml:1:10: key suites: leaves none that this hardware can compute; add xchacha20poly1305");
  EXPECT_EQ(read("suites = []").error,
            "anubis.toml:1:10: key suites: allows nothing; name at least one, or leave the key out to allow all");
}

TEST(SuitePolicy, AnUnknownNameIsAnErrorWithASuggestion) {
  EXPECT_EQ(read("suites = [\"aes265gcm\"]").error,
            "anubis.toml:1:11: key suites: \"aes265gcm\" is no suite that is known; did you mean aes256gcm?");
  EXPECT_THAT(read("suites = [\"rot13\", \"aes256gcm\"]").error, HasSubstr("known here: aes256gcm, xchacha20poly1305"));
}

TEST(SuitePolicy, AnotherTypeIsAnErrorAndOnlyOne) {
  EXPECT_EQ(read("suites = \"aes256gcm\"").error,
            "anubis.toml:1:10: key suites: is a string, must be an array of strings");
  EXPECT_EQ(read("suites = [1]").error, "anubis.toml:1:11: key suites: is an integer, must be a string");
}

TEST_F(ConfigTest, AllowsTheSuitesThatItNames) {
  const auto loaded = load_text("suites = [\"xchacha20poly1305\"]\n" + std::string(kXena));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT(loaded->suites, ElementsAre(kXChaCha));
  EXPECT_EQ(load_xena_and("")->suites, crypto::available_suites());
}

}  // namespace
}  // namespace anubis::config

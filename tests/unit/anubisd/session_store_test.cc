#include "anubisd/session_store.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using gate::Insistence;
using gate::Remembered;
using gate::Wish;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const base::Time kNow{1000s};
const std::string kBoot = "5f1c0bd0-6a0e-4a55-9b0c-3f6d5d2f1e11";
const std::string kFirst = "anubis-sessions 2 " + kBoot + "\n";
const std::string kKey = "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";  // Curve25519's base point
const crypto::ProductionPublicKey kOne(*crypto::parse_public_key(kKey));
const crypto::ProductionPublicKey kOther(*crypto::parse_public_key("ClAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));

RememberedSessions sessions_in(const std::string& text, const std::string& boot = kBoot) {
  const auto parsed = parse_sessions(text, boot, kNow);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? parsed->sessions : RememberedSessions();
}

TEST(SessionStore, TheFormatIsStable) {
  EXPECT_EQ(format_first_line(kBoot), kFirst);
  EXPECT_EQ(format_session(kOne, std::nullopt), kKey + " gone\n");
  EXPECT_EQ(format_session(kOne, Remembered{.up = true, .since = kNow}), kKey + " up 1000000000000 - - - -\n");
  EXPECT_EQ(format_session(kOne, Remembered{.up = true,
                                            .renewing = true,
                                            .since = kNow,
                                            .lease_end = kNow + 10s,
                                            .wish = Wish{.lease = 20s, .until = kNow + 90s, .fulfilled = true}}),
            kKey + " up-renewing 1000000000000 1010000000000 once+ 20 1090000000000\n");
  EXPECT_EQ(format_session(kOne, Remembered{.peer_may_be_up = true, .down_for_good = true}),
            kKey + " unsettled-for-good - - - - -\n");
  EXPECT_EQ(format_session(kOne, Remembered{.wish = Wish{.insistence = Insistence::kPersistent}}),
            kKey + " away - - persistent - -\n");
}

TEST(SessionStore, WhatIsWrittenIsRead) {
  for (const Remembered& facts : {
           Remembered{.up = true, .since = kNow - 10s, .lease_end = kNow + 10s},
           Remembered{.up = true, .renewing = true, .since = kNow, .wish = Wish{.lease = 0s, .fulfilled = true}},
           Remembered{.peer_may_be_up = true},
           Remembered{.peer_may_be_up = true, .down_for_good = true},
           Remembered{.peer_may_be_up = true, .wish = Wish{.insistence = Insistence::kAlways}},
           Remembered{.wish = Wish{.until = kNow + 1s, .insistence = Insistence::kPersistent, .fulfilled = true}},
       }) {
    const std::string line = format_session(kOne, facts);
    EXPECT_THAT(sessions_in(kFirst + line), ElementsAre(Pair(kOne, facts))) << line;
  }
}

TEST(SessionStore, TheLastLineOfASessionCounts) {
  const Remembered up{.up = true, .since = kNow};
  const Remembered away{.wish = Wish{.fulfilled = true}};
  EXPECT_THAT(sessions_in(kFirst + format_session(kOne, up) + format_session(kOther, up) + format_session(kOne, away)),
              UnorderedElementsAre(Pair(kOne, away), Pair(kOther, up)));
  EXPECT_THAT(sessions_in(kFirst + format_session(kOne, up) + format_session(kOne, std::nullopt)), IsEmpty());
}

TEST(SessionStore, OfAnotherBootRemainPersistentWishesAndWhatTheOtherEndsMayHave) {
  const Remembered up{.up = true,
                      .renewing = true,
                      .since = kNow + 1h,  // of that boot
                      .lease_end = kNow + 2h,
                      .wish = Wish{.fulfilled = true}};
  const Remembered wished{.wish = Wish{.lease = 60s, .insistence = Insistence::kPersistent}};
  EXPECT_THAT(sessions_in(kFirst + format_session(kOne, up) + format_session(kOther, wished), "another"),
              UnorderedElementsAre(Pair(kOne, Remembered{.up = true}), Pair(kOther, wished)));
  const Remembered plain{.wish = Wish{.fulfilled = true}};
  EXPECT_THAT(sessions_in(kFirst + format_session(kOne, up) + format_session(kOne, plain), "another"), IsEmpty());
}

TEST(SessionStore, ALeaseMayHaveRunOutMeanwhile) {
  EXPECT_THAT(sessions_in(kFirst + kKey + " up 1 5 - - -\n"), testing::SizeIs(1));
}

TEST(SessionStore, WhatWasBeingWrittenAtTheEndIsNoLine) {
  const std::string whole = format_session(kOne, Remembered{.up = true, .since = kNow});
  const auto parsed = parse_sessions(kFirst + whole + whole.substr(0, whole.size() - 1), kBoot, kNow);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->skipped, 0u);
  EXPECT_THAT(parsed->sessions, testing::SizeIs(1));
}

TEST(SessionStore, AnotherFileIsRefused) {
  for (const std::string& text : {std::string(), std::string("\n"), kFirst.substr(0, kFirst.size() - 1),
                                  "anubis-sessions 1 " + kBoot + "\n", " " + kFirst}) {
    const auto parsed = parse_sessions(text, kBoot, kNow);
    EXPECT_FALSE(parsed) << text;
  }
}

TEST(SessionStore, WhatADaemonDoesNotWriteIsSkipped) {
  for (const std::string& line : {
           std::string(""),
           kKey,
           kKey + " up 1",
           kKey + " down 1 - - - -",
           kKey + " up 1 - - -",
           kKey + " up 1 - - - - -",
           kKey + "  up 1 - - - -",
           kKey + " Up 1 - - - -",
           kKey + " up -1 - - - -",
           kKey + " up +1 - - - -",
           kKey + " up 1x - - - -",
           kKey + " up 99999999999999999999 - - - -",
           kKey + " up 1000000000001 - - - -",  // began in the future
           kKey + " up 1 -1 - - -",
           kKey + " up 1 9223372036854775807 - - -",  // longer than any lease
           kKey + " up 1 - often - -",
           kKey + " up 1 - + - -",
           kKey + " up 1 - once++ - -",
           kKey + " up 1 - - 5 -",             // the lease of no wish
           kKey + " up 1 - once 999999999 -",  // longer than any lease
           kKey + " Gone",
           std::string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= up 1 - - - -"),  // of small order
           std::string("key up 1 - - - -"),
       }) {
    const auto parsed = parse_sessions(kFirst + line + "\n", kBoot, kNow);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->skipped, 1u) << line;
    EXPECT_THAT(parsed->sessions, IsEmpty()) << line;
  }
}

}  // namespace
}  // namespace anubis::daemon

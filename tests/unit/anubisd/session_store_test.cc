#include "anubisd/session_store.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

const base::Time kNow{1000s};
const std::string kBoot = "5f1c0bd0-6a0e-4a55-9b0c-3f6d5d2f1e11";
const std::string kFirst = "anubis-sessions 1 " + kBoot + "\n";
const std::string kKey = "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";  // Curve25519's base point
const std::string kLine = kKey + " initiator 990000000000 1010000000000\n";

TEST(SessionStore, WhatIsWrittenIsRead) {
  const crypto::ProductionPublicKey one(*crypto::parse_public_key(kKey));
  const crypto::ProductionPublicKey other(*crypto::parse_public_key("ClAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
  const RememberedSessions sessions{
      {one, {.initiator = true, .lease_end = kNow + 10s, .since = kNow - 10s}},
      {other, {.since = kNow, .renewing = true}},
  };
  const auto read = parse_sessions(format_sessions(sessions, kBoot), kBoot, kNow);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, sessions);
}

TEST(SessionStore, TheFormatIsStable) {
  const auto read = parse_sessions(kFirst + kLine, kBoot, kNow);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(format_sessions(*read, kBoot), kFirst + kLine);
}

TEST(SessionStore, AnotherBootsSessionsAreNone) {
  const auto read = parse_sessions(kFirst + kLine, "another", kNow);
  ASSERT_TRUE(read);
  EXPECT_THAT(*read, IsEmpty());
}

TEST(SessionStore, ALeaseMayHaveRunOutMeanwhile) { EXPECT_TRUE(parse_sessions(kFirst + kLine, kBoot, kNow + 1h)); }

TEST(SessionStore, WhatADaemonDoesNotWriteIsRefusedWithItsLine) {
  const auto error_of = [](const std::string& text) {
    const auto read = parse_sessions(text, kBoot, kNow);
    return read ? std::string("accepted") : read.error().message;
  };
  for (const std::string& text : {std::string(), std::string("\n"), kFirst.substr(0, kFirst.size() - 1),
                                  "anubis-sessions 2 " + kBoot + "\n", " " + kFirst}) {
    EXPECT_EQ(error_of(text), "line 1 is not as anubisd writes it") << text;
  }
  for (const std::string& line : {
           std::string("\n"),
           kLine.substr(0, kLine.size() - 1),
           kKey + "\n",
           kKey + " initiator 1\n",
           kKey + " initiator-renewing-renewing 1 -\n",
           kKey + " -renewing 1 -\n",
           kKey + " initiator 1 - -\n",
           kKey + "  initiator 1 -\n",
           kKey + " initiator 1 - \n",
           kKey + " Initiator 1 -\n",
           kKey + " initiator -1 -\n",
           kKey + " initiator +1 -\n",
           kKey + " initiator 1x -\n",
           kKey + " initiator 99999999999999999999 -\n",
           kKey + " initiator 1000000000001 -\n",  // began in the future
           kKey + " initiator 1 -1\n",
           kKey + " initiator 1 9223372036854775807\n",                                  // longer than any lease
           std::string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= initiator 1 -\n"),  // of small order
           std::string("key initiator 1 -\n"),
       }) {
    EXPECT_EQ(error_of(kFirst + line), "line 2 is not as anubisd writes it") << line;
  }
  EXPECT_EQ(error_of(kFirst + kLine + kLine), "line 3 is not as anubisd writes it");  // twice
  EXPECT_EQ(error_of(kFirst + kLine + "x"), "line 3 is not as anubisd writes it");
}

}  // namespace
}  // namespace anubis::daemon

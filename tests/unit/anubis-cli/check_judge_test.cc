// Which addresses are looked at, and what is made of what was found.
#include <functional>

#include <gmock/gmock.h>

#include "tests/unit/anubis-cli/check_fixture.h"

namespace anubis::cli {
namespace {

using testing::HasSubstr;

// --- targets

std::vector<std::string> told(const Outcome<std::vector<Target>>& targets) {
  std::vector<std::string> all;
  if (!targets) return {targets.error().message};
  for (const Target& target : *targets) {
    all.push_back(target.name + " " + target.address.to_string() + " " +
                  (target.expected == Expected::kThroughTunnel ? "tunnel" : "direct"));
  }
  return all;
}

TEST(CheckTargets, AreAllAddressesOfAHostOrThoseThroughWireGuard) {
  EXPECT_THAT(
      told(targets_of(picture_of("down"), "jacinth", std::nullopt)),
      testing::ElementsAre("jacinth 192.168.7.1 direct", "jacinth 2001:db8::1 direct", "jacinthwg 10.44.0.2 tunnel"));
  EXPECT_THAT(told(targets_of(picture_of("down"), "jacinthwg", std::nullopt)),
              testing::ElementsAre("jacinthwg 10.44.0.2 tunnel"));
}

TEST(CheckTargets, ALanAddressThatAPeerGetsWhileItIsUpBelongsIntoTheTunnel) {
  EXPECT_THAT(told(targets_of(picture_of("up"), "printer", std::nullopt)),
              testing::ElementsAre("printer 192.168.7.9 tunnel"));
  EXPECT_THAT(told(targets_of(picture_of("down"), "printer", std::nullopt)),
              testing::ElementsAre("printer 192.168.7.9 direct"));
}

TEST(CheckTargets, AGivenAddressBelongsToThePeerThatWasNamedUpOrNot) {
  EXPECT_THAT(told(targets_of(picture_of("down"), "jacinth", ip("192.168.9.9"))),
              testing::ElementsAre(" 192.168.9.9 tunnel"));
  EXPECT_THAT(told(targets_of(picture_of("down"), "printer", ip("192.168.9.9"))),
              testing::ElementsAre(" 192.168.9.9 direct"));
  EXPECT_THAT(told(targets_of(picture_of("down"), "printer", ip("10.44.0.2"))),
              testing::ElementsAre("jacinthwg 10.44.0.2 tunnel"));
}

TEST(CheckTargets, WhatIsThrownOutOfTheTunnelIsDirect) {
  EXPECT_THAT(told(targets_of(picture_of("up"), "jacinth", ip("192.168.122.5"))),
              testing::ElementsAre(" 192.168.122.5 direct"));
}

TEST(CheckTargets, ThereMustBeSomethingToLookAt) {
  EXPECT_EQ(targets_of(picture_of("up"), "tom", std::nullopt).error().status, control::NO_SUCH_PEER);
  EXPECT_EQ(targets_of(picture_of("up"), "tom", ip("10.44.0.2")).error().status, control::NO_SUCH_PEER);
  EXPECT_THAT(targets_of(picture_of("up"), "surya", std::nullopt).error().message, HasSubstr("--to"));
  EXPECT_THAT(targets_of(picture_of("up"), "xena", std::nullopt).error().message, HasSubstr("is this host"));
}

TEST(CheckTargets, TheLongestPrefixOfThePeersThatAreUpDecides) {
  EXPECT_EQ(peer_that_gets(picture_of("up"), ip("10.44.0.3"))->name(), "surya");
  EXPECT_EQ(peer_that_gets(picture_of("up"), ip("10.44.0.4"))->name(), "jacinth");
  EXPECT_EQ(peer_that_gets(picture_of("down"), ip("10.44.0.4")), nullptr);
  EXPECT_EQ(peer_that_would_get(picture_of("down"), ip("10.44.0.4"))->name(), "jacinth");
  EXPECT_EQ(peer_that_would_get(picture_of("up"), ip("10.44.0.4")), nullptr);
  EXPECT_EQ(name_of(picture_of("up"), ip("2001:db8::1")), "jacinth");
  EXPECT_EQ(name_of(picture_of("up"), ip("10.44.0.2")), "jacinthwg");
  EXPECT_EQ(name_of(picture_of("up"), ip("10.44.0.99")), "");
}

TEST(CheckTargets, DirectRangesAreTold) {
  Picture picture = picture_of("up");
  picture.host.add_production_direct("192.168.7.0/24");
  EXPECT_EQ(targets_of(picture, "printer", std::nullopt)->front().direct_length, 24);
  EXPECT_EQ(targets_of(picture, "jacinthwg", std::nullopt)->front().direct_length, std::nullopt);
}

// --- judgement

Row judged(const std::function<void(Row&)>& change) {
  Row row = good_row();
  change(row);
  judge(row, kPremises);
  return row;
}

TEST(CheckJudge, ThroughTheTunnelAndReadableThereAloneIsGood) {
  const Row row = judged([](Row&) {});
  EXPECT_EQ(row.verdict, Verdict::kGood);
  EXPECT_EQ(row.reason, "");
}

TEST(CheckJudge, TheMarkerAnywhereElseIsInClear) {
  const Row row = judged([](Row& it) {
    it.captured->marker["eth0"] = {10, 9};
    it.captured->marker["br0"] = {10, 0};
  });
  EXPECT_EQ(row.verdict, Verdict::kInClear);
  EXPECT_EQ(row.reason, "it was readable on br0 (10 sent, 0 received) and on eth0 (10 sent, 9 received)");
}

TEST(CheckJudge, AnswersThatComeInClearAreInClear) {
  EXPECT_EQ(judged([](Row& it) { it.captured->marker = {{"wg0", {12, 0}}, {"eth0", {0, 12}}}; }).verdict,
            Verdict::kInClear);
}

TEST(CheckJudge, InClearIsWorseThanNoAnswerAndSaysWhatToDo) {
  const Row row = judged([](Row& it) {
    it.way->interface = "eth0";
    it.through = "";
    it.not_up = "jacinth";
    it.probing.answered = 0;
    it.captured->marker = {{"eth0", {10, 0}}};
  });
  EXPECT_EQ(row.verdict, Verdict::kInClear);
  EXPECT_THAT(row.reason, HasSubstr("jacinth is not up: anubis up jacinth"));
}

TEST(CheckJudge, WithoutACaptureTheRouteTells) {
  const Row wrong = judged([](Row& it) {
    it.captured.reset();
    it.way->interface = "eth0";
  });
  EXPECT_EQ(wrong.verdict, Verdict::kWrongWay);
  EXPECT_EQ(wrong.reason, "its route leads to eth0, not into wg0");
  EXPECT_EQ(judged([](Row& it) { it.captured.reset(); }).verdict, Verdict::kGood);
}

TEST(CheckJudge, ACaptureThatDoesNotSeeWhatMustBeThereProvesNothing) {
  const Row blind = judged([](Row& it) { it.captured->marker.clear(); });
  EXPECT_EQ(blind.verdict, Verdict::kIncomplete);
  EXPECT_THAT(blind.reason, HasSubstr("proves nothing"));
  EXPECT_EQ(judged([](Row& it) { it.captured->marker = {{"wg0", {0, 12}}}; }).verdict, Verdict::kIncomplete);
  const Row missed = judged([](Row& it) { it.captured->missed = 3; });
  EXPECT_EQ(missed.verdict, Verdict::kIncomplete);
  EXPECT_THAT(missed.reason, HasSubstr("missed 3 packets"));
}

TEST(CheckJudge, WhatWasSeenInClearStaysSoWhateverWasMissed) {
  EXPECT_EQ(judged([](Row& it) {
              it.captured->missed = 3;
              it.captured->marker["eth0"] = {1, 0};
            }).verdict,
            Verdict::kInClear);
}

TEST(CheckJudge, LossCountsBeyondWhatIsAllowed) {
  EXPECT_EQ(judged([](Row& it) { it.probing.answered = 8; }).verdict, Verdict::kGood);
  const Row row = judged([](Row& it) { it.probing.answered = 7; });
  EXPECT_EQ(row.verdict, Verdict::kLossy);
  EXPECT_EQ(row.reason, "3 of 10 probes were lost");
}

TEST(CheckJudge, NoAnswerSaysWhoGotTheProbes) {
  const Row row = judged([](Row& it) { it.probing.answered = 0; });
  EXPECT_EQ(row.verdict, Verdict::kUnanswered);
  EXPECT_EQ(row.reason, "none of 10 probes was answered, though they went to jacinth");
}

TEST(CheckJudge, WhoeverRefusesIsNamed) {
  const Row row = judged([](Row& it) {
    it.probing.answered = 0;
    it.probing.refused_by = ip("10.44.0.2");
  });
  EXPECT_EQ(row.reason,
            "none of 10 probes was answered, though they went to jacinth; 10.44.0.2 says that it cannot be "
            "reached");
}

TEST(CheckJudge, WhatNeverLeftIsNotInClear) {
  const Row row = judged([](Row& it) {
    it.way.reset();
    it.through = "";
    it.not_up = "jacinth";
    it.probing = {.not_sent = "Network is unreachable"};
    it.captured->marker.clear();
  });
  EXPECT_EQ(row.verdict, Verdict::kUnanswered);
  EXPECT_EQ(row.reason, "nothing left this host: Network is unreachable; jacinth is not up: anubis up jacinth");
}

TEST(CheckJudge, WhatIsDirectMayBeReadButNotGoIntoTheTunnel) {
  const auto direct = [](Row& it) {
    it.target.expected = Expected::kDirect;
    it.way->interface = "eth0";
    it.captured->marker = {{"eth0", {12, 12}}};
  };
  EXPECT_EQ(judged(direct).verdict, Verdict::kGood);
  EXPECT_EQ(judged([&](Row& it) { direct(it), it.captured->missed = 9; }).verdict, Verdict::kGood);
  EXPECT_EQ(judged([&](Row& it) { direct(it), it.probing.answered = 0; }).verdict, Verdict::kUnanswered);
  const Row wrong = judged([&](Row& it) { direct(it), it.way->interface = "wg0"; });
  EXPECT_EQ(wrong.verdict, Verdict::kWrongWay);
}

TEST(CheckJudge, AtHomeADirectRangeIsDirectAndNowhereElse) {
  const auto in_clear = [](Row& it) {
    it.target.direct_length = 24;
    it.way->interface = "eth0";
    it.captured->marker = {{"eth0", {12, 12}}};
  };
  const Row at_home = judged(in_clear);
  EXPECT_EQ(at_home.verdict, Verdict::kGood);
  EXPECT_EQ(at_home.target.expected, Expected::kDirect);
  const auto default_route = model::IpPrefix::parse("0.0.0.0/0").value();
  EXPECT_EQ(judged([&](Row& it) { in_clear(it), it.way->prefix = default_route; }).verdict, Verdict::kInClear);
  EXPECT_EQ(judged([](Row& it) { it.target.direct_length = 24; }).verdict, Verdict::kGood)
      << "elsewhere: in the tunnel";
}

TEST(CheckJudge, TheExitStatusIsThatOfAllAddresses) {
  const Row good = judged([](Row&) {});
  const Row silent = judged([](Row& it) { it.probing.answered = 0; });
  const Row clear = judged([](Row& it) { it.captured->marker["eth0"] = {1, 1}; });
  EXPECT_EQ(exit_status({good, good}), control::DONE);
  EXPECT_EQ(exit_status({good, silent}), control::FAILED);
  EXPECT_EQ(exit_status({silent, silent}), control::UNREACHABLE);
  EXPECT_EQ(exit_status({silent, clear}), control::FAILED);
}

}  // namespace
}  // namespace anubis::cli

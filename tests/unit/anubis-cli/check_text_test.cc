#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "anubis-cli/check/json.h"
#include "anubis-cli/check/text.h"
#include "anubis-cli/text.h"
#include "tests/unit/anubis-cli/check_fixture.h"

namespace anubis::cli {
namespace {

using nlohmann::json;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

Row lan_row() {
  Row row = good_row();
  row.target = {"jacinth", ip("2001:db8::1"), AddressKind::kLan, Expected::kDirect};
  row.way = network::Way{.interface = "eth0",
                         .mtu = 1500,
                         .table = 254,
                         .prefix = model::IpPrefix::parse("::/0").value(),
                         .gateway = ip("fe80::1"),
                         .source = {},
                         .rule_priority = 32766};
  row.through = "";
  row.probing.first_hop = ip("2001:db8:0:1::1");
  row.captured->marker = {{"eth0", {12, 12}}};
  row.captured->bearer.clear();
  return row;
}

Report report_of(std::vector<Row> rows) {
  for (Row& row : rows) judge(row, kPremises);
  return {.host = "xena", .name = "jacinth", .rows = std::move(rows), .premises = kPremises, .was_watched = true};
}

TEST(CheckText, ALineAnAddressThenItsWayThenASentence) {
  EXPECT_THAT(
      check_lines(report_of({lan_row(), good_row()}), Colour::kOff),
      ElementsAre("NAME       ADDRESS      PATH             LOSS  MIN/AVG/MAX ms   MTU  VERDICT",
                  "jacinth    2001:db8::1  directly          0 %  1.23/2.00/3.00  1420  ok",
                  "jacinthwg  10.44.0.2    through jacinth   0 %  1.23/2.00/3.00  1420  ok",  //
                  "",                                                                         //
                  "2001:db8::1: eth0 via fe80::1, by ::/0 in table main (rule 32766)",
                  "  first hop 2001:db8:0:1::1; marker on eth0 (24)",
                  "10.44.0.2: wg0, by 10.44.0.0/24 in table 214 (rule 21410), from 10.44.0.1",
                  "  one hop; marker on wg0 (23), bearer packets on eth0 (24)",  //
                  "",                                                            //
                  "jacinth answers at both addresses, as it should; nothing meant for WireGuard could be read outside "
                  "of it."));
}

TEST(CheckText, FitsATerminalOf100ColumnsButForTheSentences) {
  Row row = good_row();
  row.target.address = ip("fd12:3456:789a:1::1234:5678");
  auto lines = check_lines(report_of({row}), Colour::kOff);
  lines.pop_back();
  for (const auto& line : lines) EXPECT_LE(display_width(line), 100u) << line;
}

TEST(CheckText, WhatIsNotAsItShouldBeIsSaidForEach) {
  Row clear = good_row();
  clear.captured->marker["eth0"] = {1, 0};
  Row silent = good_row();
  silent.target = {"", ip("10.44.0.9"), AddressKind::kGiven, Expected::kThroughTunnel};
  silent.probing.answered = 0;
  EXPECT_THAT(check_sentences(report_of({clear, silent, good_row()})),
              ElementsAre("jacinthwg 10.44.0.2 (in clear): it was readable on eth0 (1 sent, 0 received).",
                          "10.44.0.9 (no answer): none of 10 probes was answered, though they went to jacinth.",
                          "2 of 3 addresses of jacinth are not as they should be."));
  EXPECT_EQ(check_sentences(report_of({clear})).size(), 1u);
}

TEST(CheckText, SaysWhenNobodyWatched) {
  Row row = good_row();
  row.captured.reset();
  auto report = report_of({row});
  report.was_watched = false;
  EXPECT_THAT(check_sentences(report), ElementsAre(HasSubstr("was not looked at")));
  EXPECT_THAT(check_sentences(report_of({lan_row()})),
              ElementsAre("jacinth 2001:db8::1 answers, directly as it should."));
}

TEST(CheckText, VerdictsHaveColours) {
  Row clear = good_row();
  clear.captured->marker["eth0"] = {1, 0};
  const auto lines = check_lines(report_of({good_row(), clear}), Colour::kOn);
  EXPECT_THAT(lines[1], HasSubstr("\x1b[32mok\x1b[0m"));
  EXPECT_THAT(lines[2], HasSubstr("\x1b[31min clear\x1b[0m"));
}

TEST(CheckText, NothingOfItCanPassForATerminalSequence) {
  Row row = good_row();
  row.target.name = "a\x1b[2J";
  row.through = "b\x1b[2J";
  row.first_hop_name = "c\x1b[2J";
  row.way->interface = "d\x1b[2J";
  row.captured->marker["e\x1b[2J"] = {1, 1};
  EXPECT_THAT(check_lines(report_of({row}), Colour::kOff), Each(testing::Not(HasSubstr("\x1b"))));
}

TEST(CheckJson, HoldsEverything) {
  EXPECT_EQ(json::parse(check_json(report_of({good_row()}), std::nullopt)), json::parse(R"({
    "schema": 1, "daemon": "running", "host": "xena", "name": "jacinth", "ok": true, "addresses": [
      {"name": "jacinthwg", "address": "10.44.0.2", "kind": "wireguard", "expected": "tunnel", "path": "tunnel",
       "through": "jacinth", "first_hop": "10.44.0.2", "first_hop_name": "",
       "route": {"interface": "wg0", "table": 214, "prefix": "10.44.0.0/24", "gateway": null, "source": "10.44.0.1",
                 "rule": 21410},
       "sent": 10, "answered": 10, "refused_by": null, "loss_percent": 0.0, "round_trip_ms": {"min": 1.234, "avg": 2.0, "max": 3.0},
       "path_mtu": 1420,
       "capture": {"marker": [{"interface": "wg0", "sent": 12, "received": 11}],
                   "bearer_packets": [{"interface": "eth0", "sent": 12, "received": 12}], "missed": 0},
       "verdict": "ok", "reason": ""}]})"));
}

TEST(CheckJson, WhatIsNotKnownIsNull) {
  Row row;
  row.target = {"", ip("10.44.0.9"), AddressKind::kGiven, Expected::kThroughTunnel};
  row.probing.not_sent = "Network is unreachable";
  const auto actual = json::parse(check_json(report_of({row}), std::nullopt));
  EXPECT_EQ(actual["ok"], false);
  const auto address = actual["addresses"][0];
  for (const char* field : {"first_hop", "route", "round_trip_ms", "path_mtu", "capture"}) {
    EXPECT_TRUE(address[field].is_null()) << field;
  }
  EXPECT_EQ(address["path"], "none");
  EXPECT_EQ(address["verdict"], "no answer");
  EXPECT_EQ(address["loss_percent"], 100.0);
}

TEST(CheckJson, ComesInEveryState) {
  const auto down = json::parse(check_json({.name = "jacinth"}, Failure{control::NOT_RUNNING, "gone"}));
  EXPECT_EQ(down["daemon"], "not running");
  EXPECT_EQ(down["ok"], false);
  EXPECT_EQ(down["addresses"], json::array());
  EXPECT_EQ(down["error"], "gone");
  const auto refused = json::parse(check_json({.host = "xena"}, Failure{control::NOT_PERMITTED, "needs root"}));
  EXPECT_EQ(refused["daemon"], "running");
}

}  // namespace
}  // namespace anubis::cli

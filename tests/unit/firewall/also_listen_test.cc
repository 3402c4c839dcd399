#include "firewall/also_listen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/firewall/policies.h"

namespace anubis::firewall {
namespace {

using testing::HasSubstr;

Policy under_53_and_443() {
  Policy policy = simple();
  policy.also_listen = {53, 443};
  return policy;
}

TEST(AlsoListen, WithoutFurtherNumbersThereIsNothing) {
  Ruleset ruleset;
  add_also_listen(simple(), ruleset);
  EXPECT_EQ(ruleset, Ruleset());
}

TEST(AlsoListen, OnlyWhatComesFromOutsideToThisHostIsLookedAt) {
  const std::string text = to_text(ruleset_of(under_53_and_443()));
  EXPECT_THAT(text, HasSubstr(R"(	chain arrivals {
		type filter hook prerouting priority raw; policy accept;
		iifname { "wg0", "anubis0", "lo" } accept comment "not from within"
		udp dport { 4296, 4297 } goto heard comment "under no further number"
		udp dport { 53, 443 } fib daddr type local goto under_further_number comment "to this host"
	}
)"));
}

// Whatever else comes to the number is for the program that serves it.
TEST(AlsoListen, NothingIsRewrittenButInitiationsAndWhatBelongsToASession) {
  const auto ruleset = ruleset_of(under_53_and_443());
  for (const Chain& chain : ruleset.chains) {
    for (const Rule& rule : chain.rules) {
      if (rule.text.find("udp dport set") == std::string::npos) continue;
      if (chain.name.starts_with("to_")) continue;
      EXPECT_THAT(rule.text, HasSubstr("map @sessions")) << chain.name;
    }
    for (const Rule& rule : chain.rules) {
      if (rule.text.find("goto initiation_") == std::string::npos) continue;
      EXPECT_THAT(rule.text, HasSubstr("@th,64,32 0x01000000 udp length 156"));
    }
  }
}

TEST(AlsoListen, BearerPacketsLeaveFromTheNumberAfterAllOtherRulesOfOurs) {
  const std::string text = to_text(ruleset_of(under_53_and_443()));
  EXPECT_THAT(text, HasSubstr("type filter hook output priority filter + 10; policy accept;"));
  EXPECT_THAT(text, HasSubstr("ip daddr . udp dport @under_53_v4 udp sport set 53 accept"));
  EXPECT_THAT(text, HasSubstr("ip6 daddr . udp dport @under_443_v6 udp sport set 443 accept"));
}

TEST(AlsoListen, ElementsAreTakenAlongWithoutTheirTimes) {
  EXPECT_EQ(
      elements_in("table inet anubis {\n\tset s {\n\t\telements = { 192.0.2.4 . 1 timeout 20s expires 9m59s992ms,\n"
                  "\t\t\t     192.0.2.4 . 2 expires 3s }\n\t}\n}\n"),
      "{ 192.0.2.4 . 1, 192.0.2.4 . 2 }");
  EXPECT_EQ(elements_in("elements = { 0x228e25d2 expires 3m57s608ms : 4296, 0xe67a9193 expires 1s : 4297 }"),
            "{ 0x228e25d2 : 4296, 0xe67a9193 : 4297 }");
  EXPECT_EQ(elements_in("table inet anubis {\n\tset s {\n\t}\n}\n"), "");
  EXPECT_EQ(elements_in("elements = { 1"), "");
}

}  // namespace
}  // namespace anubis::firewall

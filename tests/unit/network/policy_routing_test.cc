#include "lib/network/policy_routing.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace anubis::network {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::Field;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Lt;
using testing::SizeIs;

const std::array kThrows = {model::IpPrefix::parse("192.168.122.0/24").value(),
                            model::IpPrefix::parse("fd77::/16").value()};
const std::array kSides = {model::IpPrefix::parse("fd77::/16").value()};

PolicyRoutingInput input() {
  PolicyRoutingInput made;
  made.production_listen_port = 4296;
  made.side_listen_port = 4297;
  made.throw_ranges = kThrows;
  made.side_ranges = kSides;
  return made;
}

TEST(PolicyRouting, AllIsOursAndComesBeforeTheMainTable) {
  const auto routing = policy_routing(input()).value();
  EXPECT_THAT(routing.rules, Each(AllOf(Field(&Rule::protocol, kRouteProtocol), Field(&Rule::priority, Lt(32766u)))));
  EXPECT_THAT(routing.throws, Each(AllOf(Field(&Route::protocol, kRouteProtocol), Field(&Route::table, 214u),
                                         Field(&Route::kind, RouteKind::kThrow))));
}

TEST(PolicyRouting, BearerRulesStandBeforeTheTablesInEachFamily) {
  const auto routing = policy_routing(input()).value();
  for (const auto family : {model::Family::kV4, model::Family::kV6}) {
    std::vector<Rule> of_family;
    std::ranges::copy_if(routing.rules, std::back_inserter(of_family),
                         [&](const Rule& rule) { return rule.family == family; });
    EXPECT_TRUE(std::ranges::is_sorted(of_family, {}, &Rule::priority));
    EXPECT_EQ(of_family[0].source_ports, (PortRange{4296, 4296}));
    EXPECT_EQ(of_family[1].source_ports, (PortRange{4297, 4297}));
    EXPECT_EQ(of_family[0].table, kMainTable);
    EXPECT_EQ(of_family.back().table, 214u);
    EXPECT_FALSE(of_family.back().source_ports);
  }
}

TEST(PolicyRouting, MarkedPacketsFromHereGoToTheMainTableIfThereIsAMark) {
  PolicyRoutingInput marked = input();
  marked.fwmark = 0xd6;
  const auto unmarked_rules = policy_routing(input()).value().rules;
  auto rules = policy_routing(marked).value().rules;
  EXPECT_THAT(rules, SizeIs(unmarked_rules.size() + 4));
  std::erase_if(rules, [](const Rule& rule) { return !rule.fwmark || rule.action != RuleAction::kLookUp; });
  ASSERT_THAT(rules, SizeIs(2));
  EXPECT_NE(rules[0].family, rules[1].family);
  for (const Rule& rule : rules) {
    EXPECT_EQ(rule.fwmark, (FirewallMark{.value = 0xd6}));
    EXPECT_EQ(rule.table, kMainTable);
    EXPECT_EQ(rule.input_interface, "lo");
    EXPECT_THAT(rule.priority, AllOf(Gt(kPortsOfArrivalsPriority), Lt(kTablePriority)));
  }
}

TEST(PolicyRouting, WhatGoesToTheMainTableIsUnreachableIfItHasNoRoute) {
  PolicyRoutingInput marked = input();
  marked.fwmark = 0xd6;
  const auto rules = policy_routing(marked).value().rules;
  for (Rule rule : rules) {
    if (rule.table != kMainTable || rule.priority == kPortsOfArrivalsPriority) continue;
    rule.action = RuleAction::kUnreachable;
    rule.table = 0;
    rule.priority = kNowherePriority;
    EXPECT_THAT(rules, Contains(rule));
  }
  EXPECT_GT(kNowherePriority, kMarkPriority);
  EXPECT_LT(kNowherePriority, kTablePriority);
  const auto nowhere = [](const Rule& rule) { return rule.action == RuleAction::kUnreachable; };
  EXPECT_EQ(std::ranges::count_if(rules, nowhere), 6);
}

TEST(PolicyRouting, DirectRangesHaveTheirRulesAndWithoutThemThereAreNone) {
  const std::array ranges = {model::IpPrefix::parse("192.168.7.0/24").value()};
  const std::array addresses = {model::InterfaceAddress::parse("10.44.0.7/24").value(),
                                model::InterfaceAddress::parse("fd44::7/64").value()};
  PolicyRoutingInput direct = input();
  direct.addresses = addresses;
  const auto without = policy_routing(direct).value().rules;
  EXPECT_EQ(without, policy_routing(input()).value().rules);
  direct.direct_ranges = ranges;
  auto rules = policy_routing(direct).value().rules;
  std::erase_if(rules, [&](const Rule& rule) { return std::ranges::find(without, rule) != without.end(); });
  ASSERT_THAT(rules, SizeIs(3));  // and none of IPv6, where no range is
  EXPECT_THAT(rules, Each(AllOf(Field(&Rule::family, model::Family::kV4), Field(&Rule::input_interface, "lo"))));
  EXPECT_EQ(rules[0].source, model::IpPrefix::parse("10.44.0.7/32").value());
  EXPECT_EQ(rules[0].table, 214u);
  EXPECT_EQ(rules[1].destination, ranges[0]);
  EXPECT_EQ(rules[1].suppress_prefix_length, 23u);
  EXPECT_EQ(rules[1].table, kMainTable);
  EXPECT_EQ(rules[2].source, ranges[0]);
  EXPECT_EQ(rules[2].table, kMainTable);
  EXPECT_THAT(rules, Each(Field(&Rule::priority, AllOf(Gt(kNowherePriority), Lt(kTablePriority)))));
  EXPECT_LT(rules[0].priority, rules[1].priority);
}

TEST(PolicyRouting, SideRangesAreThrownOnceWithTheOthers) {
  EXPECT_THAT(policy_routing(input()).value().throws, SizeIs(2));
  PolicyRoutingInput without = input();
  without.throw_ranges = {};
  EXPECT_THAT(policy_routing(without).value().throws, SizeIs(1));
}

TEST(PolicyRouting, MainTableNeedsNothingAndCannotThrow) {
  PolicyRoutingInput main = input();
  main.table = kMainTable;
  const auto refused = policy_routing(main);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("set table = 214"));
  main.throw_ranges = {};
  main.direct_ranges = kThrows;
  EXPECT_THAT(policy_routing(main).error().message, HasSubstr("direct ranges need a routing table of their own"));
  main.direct_ranges = {};
  EXPECT_THAT(policy_routing(main).value().rules, IsEmpty());
  EXPECT_THAT(policy_routing(main).value().throws, IsEmpty());
}

TEST(PolicyRouting, KernelsOwnTablesAndPortsThatAreNotFixedAreRefused) {
  for (const std::uint32_t table : {0u, 253u, 255u}) {
    PolicyRoutingInput reserved = input();
    reserved.table = table;
    EXPECT_FALSE(policy_routing(reserved)) << table;
  }
  PolicyRoutingInput any_port = input();
  any_port.side_listen_port = 0;
  EXPECT_FALSE(policy_routing(any_port));
}

}  // namespace
}  // namespace anubis::network

#include "lib/network/policy_routing.h"

#include <algorithm>
#include <iterator>
#include <string>

#include <linux/rtnetlink.h>
#include <netinet/in.h>

namespace anubis::network {
namespace {

using base::ErrorCode;
using base::fail;

Rule bearer_rule(model::Family family, std::uint32_t priority, std::uint16_t port) {
  Rule rule;
  rule.family = family;
  rule.priority = priority;
  rule.table = kMainTable;
  rule.input_interface = "lo";
  rule.ip_protocol = IPPROTO_UDP;
  rule.source_ports = PortRange{port, port};
  return rule;
}

Rule mark_rule(model::Family family, std::uint32_t mark) {
  Rule rule;
  rule.family = family;
  rule.priority = kMarkPriority;
  rule.table = kMainTable;
  rule.input_interface = "lo";
  rule.fwmark = FirewallMark{.value = mark};
  return rule;
}

// The same packets, if that rule did not find a route for them.
Rule or_nowhere(Rule rule) {
  rule.priority = kNowherePriority;
  rule.action = RuleAction::kUnreachable;
  rule.table = RT_TABLE_UNSPEC;
  return rule;
}

Rule from_here(model::Family family, std::uint32_t priority, std::uint32_t table) {
  Rule rule;
  rule.family = family;
  rule.priority = priority;
  rule.table = table;
  rule.input_interface = "lo";
  return rule;
}

// In the order of their priorities; none where no direct range is of that family.
std::vector<Rule> direct_rules(model::Family family, const PolicyRoutingInput& input) {
  std::vector<Rule> rules;
  for (const model::IpPrefix& range : input.direct_ranges) {
    if (range.family() != family) continue;
    Rule to = from_here(family, kDirectPriority, kMainTable);
    to.destination = range;
    to.suppress_prefix_length = range.length() - 1;
    Rule from = from_here(family, kDirectPriority, kMainTable);
    from.source = range;
    rules.insert(rules.end(), {to, from});
  }
  if (rules.empty()) return rules;
  std::vector<Rule> own;
  for (const model::InterfaceAddress& each : input.addresses) {
    if (each.address.family() != family) continue;
    Rule rule = from_here(family, kOwnAddressesPriority, input.table);
    rule.source = model::IpPrefix(each.address, each.address.bits());
    own.push_back(rule);
  }
  rules.insert(rules.begin(), own.begin(), own.end());
  return rules;
}

// Matches nothing (IANA reserves protocol 255), but as long as it stands the kernel knows the ports of what arrives.
Rule ports_of_arrivals_rule() {
  Rule rule;
  rule.priority = kPortsOfArrivalsPriority;
  rule.table = kMainTable;
  rule.ip_protocol = IPPROTO_RAW;
  return rule;
}

}  // namespace

base::Result<PolicyRouting> policy_routing(const PolicyRoutingInput& input) {
  if (input.table == RT_TABLE_UNSPEC || input.table == RT_TABLE_DEFAULT || input.table == RT_TABLE_LOCAL)
    return fail(ErrorCode::kInvalid, "routing table " + std::to_string(input.table) +
                                         " is the kernel's own; use another one, such as 214, or \"main\"");
  if (input.table == kMainTable) {
    if (!input.throw_ranges.empty())
      return fail(ErrorCode::kInvalid,
                  "throw ranges need a routing table of their own: in the main table a throw would leave these ranges "
                  "without any route; set table = 214");
    if (!input.direct_ranges.empty())
      return fail(ErrorCode::kInvalid,
                  "direct ranges need a routing table of their own: in the main table the longest prefix counts "
                  "anyway; take them out, or set table = 214");
    return PolicyRouting{};
  }
  if (input.production_listen_port == 0 || input.side_listen_port == 0)
    return fail(ErrorCode::kInvalid, "listen ports must be fixed: bearer packets are told by them");

  PolicyRouting routing;
  for (const auto& ranges : {input.throw_ranges, input.side_ranges}) {
    for (const model::IpPrefix& prefix : ranges) {
      Route route;
      route.prefix = prefix;
      route.table = input.table;
      route.kind = RouteKind::kThrow;
      if (std::ranges::find(routing.throws, route) == routing.throws.end()) routing.throws.push_back(route);
    }
  }
  for (const model::Family family : {model::Family::kV4, model::Family::kV6}) {
    std::vector<Rule> bearer = {bearer_rule(family, kProductionBearerPriority, input.production_listen_port),
                                bearer_rule(family, kSideBearerPriority, input.side_listen_port)};
    if (input.fwmark != 0) bearer.push_back(mark_rule(family, input.fwmark));
    std::ranges::copy(bearer, std::back_inserter(routing.rules));
    if (family == model::Family::kV4) routing.rules.push_back(ports_of_arrivals_rule());
    std::ranges::transform(bearer, std::back_inserter(routing.rules), or_nowhere);
    std::ranges::copy(direct_rules(family, input), std::back_inserter(routing.rules));
    Rule table_rule;
    table_rule.family = family;
    table_rule.priority = kTablePriority;
    table_rule.table = input.table;
    routing.rules.push_back(table_rule);
  }
  return routing;
}

}  // namespace anubis::network

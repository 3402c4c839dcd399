#include "anubisd/netd/policy_rules.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

#include "lib/base/steps.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using base::fail;
using base::Status;
using network::Route;
using network::Rule;

bool is_missing_ipv6(const base::Error& error, model::Family family) {
  return error.code == ErrorCode::kUnsupported && family == model::Family::kV6;
}

}  // namespace

Status apply_policy(network::Network& network, const network::PolicyRouting& policy) {
  const auto rules = network.rules(network::kRouteProtocol);
  if (!rules) return fail(rules.error());
  auto routes = network.routes({.protocol = network::kRouteProtocol, .table = {}});
  if (!routes) return fail(routes.error());
  std::erase_if(*routes, [](const Route& route) { return route.kind != network::RouteKind::kThrow; });

  for (const Rule& rule : *rules) {
    if (std::ranges::find(policy.rules, rule) != policy.rules.end()) continue;
    if (auto status = network.remove_rule(rule); !status) return status;
    base::step("policy.rule");
  }
  const std::set<Route> wanted(policy.throws.begin(), policy.throws.end());
  const std::set<Route> standing(routes->begin(), routes->end());
  std::vector<Route> stale;
  std::ranges::set_difference(standing, wanted, std::back_inserter(stale));
  if (auto status = network::all_in_place(network.remove_routes(stale)); !status) return status;

  std::vector<Route> missing;
  std::ranges::set_difference(wanted, standing, std::back_inserter(missing));
  auto failures = network.add_routes(missing);
  std::erase_if(failures, [&](const network::Failure& failure) {
    return is_missing_ipv6(failure.error, missing[failure.index].prefix.family());
  });
  if (auto status = network::all_in_place(failures); !status) return status;
  base::step("policy.throws");

  for (const Rule& rule : policy.rules) {
    if (std::ranges::find(*rules, rule) != rules->end()) continue;
    const auto status = network.add_rule(rule);
    if (!status && !is_missing_ipv6(status.error(), rule.family)) return status;
    base::step("policy.rule");
  }
  return {};
}

}  // namespace anubis::netd

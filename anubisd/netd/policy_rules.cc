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
using base::Result;
using base::Status;
using network::Route;
using network::Rule;

bool is_missing_ipv6(const base::Error& error, model::Family family) {
  return error.code == ErrorCode::kUnsupported && family == model::Family::kV6;
}

Result<std::vector<Route>> present_throws(network::Network& network) {
  auto routes = network.routes({.protocol = network::kRouteProtocol, .table = {}});
  if (!routes) return fail(routes.error());
  std::erase_if(*routes, [](const Route& route) { return route.kind != network::RouteKind::kThrow; });
  return routes;
}

// Whether some of `missing` stand there now. What a foreign one stood in for does not.
template <class T>
bool any_back(const std::vector<T>& missing, const Result<std::vector<T>>& present) {
  return present && std::ranges::any_of(
                        missing, [&](const T& each) { return std::ranges::find(*present, each) != present->end(); });
}

}  // namespace

Status apply_policy(network::Network& network, const network::PolicyRouting& policy, DriftQueue* drift) {
  const auto rules = network.rules(network::kRouteProtocol);
  if (!rules) return fail(rules.error());
  const auto routes = present_throws(network);
  if (!routes) return fail(routes.error());

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
  if (drift != nullptr && !missing.empty() && any_back(missing, present_throws(network)))
    drift->tell({.kind = DriftKind::kThrowRoutes, .interface = Interface::kProduction, .peer = {}});

  std::vector<Rule> absent;
  for (const Rule& rule : policy.rules) {
    if (std::ranges::find(*rules, rule) != rules->end()) continue;
    const auto status = network.add_rule(rule);
    if (!status && !is_missing_ipv6(status.error(), rule.family)) return status;
    base::step("policy.rule");
    if (status) absent.push_back(rule);
  }
  if (drift != nullptr && !absent.empty() && any_back(absent, network.rules(network::kRouteProtocol)))
    drift->tell({.kind = DriftKind::kRules, .interface = Interface::kProduction, .peer = {}});
  return {};
}

}  // namespace anubis::netd

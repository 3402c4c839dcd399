#include "lib/network/testing/fake_network.h"

#include <algorithm>

namespace anubis::network {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;
using model::Family;

constexpr std::uint32_t kLocalTable = 255;
constexpr std::uint32_t kMainPriority = 32766;
constexpr std::uint8_t kKernelProtocol = 2;
constexpr std::uint32_t kPrefixRouteMetric6 = 256;
constexpr std::uint32_t kDefaultMetric6 = 1024;
constexpr std::uint32_t kMinimumMtu6 = 1280;

Status no_such_link(std::uint32_t ifindex) {
  return fail(ErrorCode::kNotFound, "there is no link " + std::to_string(ifindex));
}

Status no_ipv6() { return fail(ErrorCode::kUnsupported, "IPv6 is switched off"); }

std::uint32_t metric_of(const Route& route) {
  return route.metric.value_or(route.prefix.family() == Family::kV6 ? kDefaultMetric6 : 0);
}

bool same_place(const Route& a, const Route& b) {
  return a.prefix == b.prefix && a.table == b.table && metric_of(a) == metric_of(b);
}

bool matches(const Rule& rule, const RouteQuery& query) {
  if (rule.family != query.destination.family()) return false;
  if (rule.ip_protocol && rule.ip_protocol != query.ip_protocol) return false;
  if (rule.source_ports && (!query.source_port || *query.source_port < rule.source_ports->first ||
                            *query.source_port > rule.source_ports->last))
    return false;
  if (rule.fwmark && ((rule.fwmark->value ^ query.fwmark.value_or(0)) & rule.fwmark->mask) != 0) return false;
  if (rule.destination && !rule.destination->contains(query.destination)) return false;
  if (rule.source) return false;  // a query has no source address
  return (rule.input_interface.empty() || rule.input_interface == "lo") && rule.output_interface.empty();
}

}  // namespace

Status FakeNetwork::fault(Operation operation) {
  const auto found = faults_.find(operation);
  if (found == faults_.end()) return {};
  base::Error error = std::move(found->second);
  faults_.erase(found);
  return fail(std::move(error));
}

Link* FakeNetwork::find(std::uint32_t ifindex) {
  const auto found = std::ranges::find(links_, ifindex, &Link::index);
  return found == links_.end() ? nullptr : &*found;
}

bool FakeNetwork::has_ipv6(std::uint32_t ifindex) const {
  return has_ipv6_ && std::ranges::find(without_ipv6_, ifindex) == without_ipv6_.end();
}

std::uint32_t FakeNetwork::add_link(Link link) {
  link.index = next_index_++;
  links_.push_back(std::move(link));
  return links_.back().index;
}

Result<std::optional<Link>> FakeNetwork::link(std::string_view name) {
  if (auto status = fault(Operation::kLink); !status) return fail(status.error());
  const auto found = std::ranges::find(links_, name, &Link::name);
  return found == links_.end() ? std::optional<Link>{} : *found;
}

Result<std::optional<Link>> FakeNetwork::link_at(std::uint32_t ifindex) {
  if (auto status = fault(Operation::kLink); !status) return fail(status.error());
  const Link* found = find(ifindex);
  return found == nullptr ? std::optional<Link>{} : *found;
}

Result<Link> FakeNetwork::create_wireguard_link(std::string_view name, std::string_view alias) {
  if (auto status = fault(Operation::kCreateLink); !status) return fail(status.error());
  if (std::ranges::find(links_, name, &Link::name) != links_.end())
    return fail(ErrorCode::kExists, "cannot create the WireGuard interface " + std::string(name) + ": File exists");
  if (!has_wireguard_) return fail(ErrorCode::kUnsupported, "this kernel has no WireGuard");
  Link link{0, std::string(name), "wireguard", 1420, false, std::string(alias)};
  ++changes_;
  return *find(add_link(std::move(link)));
}

Status FakeNetwork::delete_link(std::uint32_t ifindex) {
  if (auto status = fault(Operation::kDeleteLink); !status) return status;
  if (std::erase_if(links_, [&](const Link& link) { return link.index == ifindex; }) == 0) return {};
  std::erase_if(addresses_, [&](const Placed& placed) { return placed.ifindex == ifindex; });
  drop_routes(ifindex, std::nullopt);
  ++changes_;
  return {};
}

void FakeNetwork::drop_routes(std::uint32_t ifindex, std::optional<Family> family) {
  std::erase_if(routes_, [&](const Route& route) {
    return route.kind == RouteKind::kUnicast && route.ifindex == ifindex &&
           (!family || route.prefix.family() == *family);
  });
}

Status FakeNetwork::set_link(std::uint32_t ifindex, const LinkSettings& settings) {
  if (auto status = fault(Operation::kSetLink); !status) return status;
  Link* const link = find(ifindex);
  if (link == nullptr) return no_such_link(ifindex);
  const Link before = *link;
  if (settings.mtu) link->mtu = *settings.mtu;
  if (settings.alias) link->alias = *settings.alias;
  if (settings.up) link->up = *settings.up;
  if (*link != before) ++changes_;
  const auto lose_ipv6 = [&] {
    std::erase_if(addresses_, [&](const Placed& placed) {
      return placed.ifindex == ifindex && placed.address.address.address.family() == Family::kV6;
    });
    drop_routes(ifindex, Family::kV6);
  };
  if (before.mtu >= kMinimumMtu6 && link->mtu < kMinimumMtu6) lose_ipv6();
  if (before.up && !link->up) {
    lose_ipv6();
    drop_routes(ifindex, std::nullopt);
  }
  if (!before.up && link->up) {
    for (const Placed& placed : addresses_)
      if (const auto route = prefix_route_of(placed); placed.ifindex == ifindex && route) routes_.push_back(*route);
  }
  return {};
}

Result<std::vector<Address>> FakeNetwork::addresses(std::uint32_t ifindex) {
  if (auto status = fault(Operation::kAddresses); !status) return fail(status.error());
  std::vector<Address> found;
  for (const Placed& placed : addresses_)
    if (placed.ifindex == ifindex) found.push_back(placed.address);
  return found;
}

std::optional<Route> FakeNetwork::prefix_route_of(const Placed& placed) {
  const auto& [address, length] = placed.address.address;
  if (placed.prefix_route == PrefixRoute::kNone) return std::nullopt;
  if (address.family() == Family::kV4 && length == 32) return std::nullopt;
  Route route;
  route.prefix = model::IpPrefix(address, length);
  route.ifindex = placed.ifindex;
  route.protocol = kKernelProtocol;
  if (address.family() == Family::kV6) route.metric = kPrefixRouteMetric6;
  return route;
}

Status FakeNetwork::add_address(std::uint32_t ifindex, const model::InterfaceAddress& address,
                                PrefixRoute prefix_route) {
  if (auto status = fault(Operation::kAddAddress); !status) return status;
  const Link* const link = find(ifindex);
  if (link == nullptr) return no_such_link(ifindex);
  const bool is_v6 = address.address.family() == Family::kV6;
  if (is_v6 && (!has_ipv6(ifindex) || link->mtu < kMinimumMtu6)) return no_ipv6();
  for (const Placed& placed : addresses_) {
    if (placed.ifindex != ifindex || placed.address.address.address != address.address) continue;
    if (placed.address.address == address) return {};
    if (is_v6) return fail(ErrorCode::kExists, address.to_string() + " is there with another length");
  }
  addresses_.push_back({ifindex, {address, kRouteProtocol}, prefix_route});
  ++changes_;
  if (const auto route = prefix_route_of(addresses_.back()); link->up && route) routes_.push_back(*route);
  return {};
}

Status FakeNetwork::remove_address(std::uint32_t ifindex, const model::InterfaceAddress& address) {
  if (auto status = fault(Operation::kRemoveAddress); !status) return status;
  const auto found = std::ranges::find_if(
      addresses_, [&](const Placed& placed) { return placed.ifindex == ifindex && placed.address.address == address; });
  if (found == addresses_.end()) return {};
  if (const auto route = prefix_route_of(*found)) std::erase(routes_, *route);
  addresses_.erase(found);
  ++changes_;
  const bool has_ipv4 = std::ranges::any_of(addresses_, [&](const Placed& placed) {
    return placed.ifindex == ifindex && placed.address.address.address.family() == Family::kV4;
  });
  if (address.address.family() == Family::kV4 && !has_ipv4) drop_routes(ifindex, Family::kV4);
  return {};
}

Status FakeNetwork::add_route(const Route& route) {
  if (const auto found = route_faults_.find(route.prefix); found != route_faults_.end()) {
    base::Error error = std::move(found->second);
    route_faults_.erase(found);
    return fail(std::move(error));
  }
  if (route.prefix.family() == Family::kV6 && !has_ipv6(route.ifindex)) return no_ipv6();
  if (route.kind == RouteKind::kUnicast) {
    const Link* const link = find(route.ifindex);
    if (link == nullptr) return no_such_link(route.ifindex);
    if (!link->up) return fail(ErrorCode::kUnreachable, link->name + " is down");
    if (route.prefix.family() == Family::kV6 && link->mtu < kMinimumMtu6) return no_ipv6();
  }
  const auto holder = std::ranges::find_if(routes_, [&](const Route& present) { return same_place(present, route); });
  if (holder == routes_.end()) {
    routes_.push_back(route);
    ++changes_;
    return {};
  }
  if (holder->kind == route.kind && holder->ifindex == route.ifindex) return {};
  return fail(ErrorCode::kExists, "another route to " + route.prefix.to_string() + " stands in its place (protocol " +
                                      std::to_string(holder->protocol) + ")");
}

std::vector<Failure> FakeNetwork::add_routes(std::span<const Route> routes) {
  std::vector<Failure> failures;
  for (std::size_t i = 0; i < routes.size(); ++i)
    if (auto added = add_route(routes[i]); !added) failures.push_back({i, added.error()});
  return failures;
}

std::vector<Failure> FakeNetwork::remove_routes(std::span<const Route> routes) {
  for (const Route& route : routes) changes_ += std::erase(routes_, route);
  return {};
}

Result<std::vector<Route>> FakeNetwork::routes(const RouteFilter& filter) {
  if (auto status = fault(Operation::kRoutes); !status) return fail(status.error());
  std::vector<Route> found;
  for (const Route& route : routes_)
    if (filter.protocol.value_or(route.protocol) == route.protocol && filter.table.value_or(route.table) == route.table)
      found.push_back(route);
  return found;
}

Status FakeNetwork::add_rule(const Rule& rule) {
  if (auto status = fault(Operation::kAddRule); !status) return status;
  if (rule.family == Family::kV6 && !has_ipv6_) return no_ipv6();
  Rule mine = rule;
  for (const Rule& present : rules_) {
    mine.protocol = present.protocol;
    if (mine == present) return {};
  }
  // Behind those of its priority, as the kernel puts it.
  rules_.insert(std::ranges::upper_bound(rules_, rule.priority, {}, &Rule::priority), rule);
  ++changes_;
  return {};
}

Status FakeNetwork::remove_rule(const Rule& rule) {
  if (auto status = fault(Operation::kRemoveRule); !status) return status;
  changes_ += std::erase(rules_, rule);
  return {};
}

Result<std::vector<Rule>> FakeNetwork::rules(std::uint8_t protocol) {
  if (auto status = fault(Operation::kRules); !status) return fail(status.error());
  std::vector<Rule> found;
  std::ranges::copy_if(rules_, std::back_inserter(found), [&](const Rule& rule) { return rule.protocol == protocol; });
  return found;
}

Result<RouteAnswer> FakeNetwork::route_to(const RouteQuery& query) {
  if (auto status = fault(Operation::kRouteTo); !status) return fail(status.error());
  for (const Placed& placed : addresses_)
    if (placed.address.address.address == query.destination)
      return RouteAnswer{kLoopback, kLocalTable, std::nullopt, query.destination};
  std::vector<Rule> rules;
  std::ranges::copy_if(rules_, std::back_inserter(rules), [&](const Rule& rule) { return matches(rule, query); });
  Rule main;
  main.priority = kMainPriority;
  rules.insert(std::ranges::upper_bound(rules, main.priority, {}, &Rule::priority), main);
  for (const Rule& rule : rules) {
    if (rule.action == RuleAction::kUnreachable) break;
    const Route* best = nullptr;
    for (const Route& route : routes_) {
      if (route.table != rule.table || !route.prefix.contains(query.destination)) continue;
      const bool better = best == nullptr || route.prefix.length() > best->prefix.length() ||
                          (route.prefix == best->prefix && metric_of(route) < metric_of(*best));
      if (better) best = &route;
    }
    if (best == nullptr || best->kind == RouteKind::kThrow) continue;
    if (rule.suppress_prefix_length && best->prefix.length() <= *rule.suppress_prefix_length) continue;
    RouteAnswer answer{best->ifindex, rule.table, std::nullopt, std::nullopt};
    const auto source = std::ranges::find_if(addresses_, [&](const Placed& placed) {
      return placed.ifindex == best->ifindex && placed.address.address.address.family() == query.destination.family();
    });
    if (source != addresses_.end()) answer.source = source->address.address.address;
    return answer;
  }
  return fail(ErrorCode::kUnreachable, "there is no route to " + query.destination.to_string());
}

Result<std::vector<model::Sighting>> FakeNetwork::usable_addresses(std::span<const std::uint32_t> except) {
  if (auto status = fault(Operation::kUsableAddresses); !status) return fail(status.error());
  std::vector<model::Sighting> seen;
  for (const Placed& placed : addresses_) {
    const Link* const link = find(placed.ifindex);
    if (link == nullptr || !link->up || std::ranges::find(except, placed.ifindex) != except.end()) continue;
    seen.push_back({.kind = model::SightingKind::kAddress,
                    .link = link->name,
                    .is_uplink = is_uplink(*link),
                    .address = placed.address.address.address});
  }
  return seen;
}

Result<std::vector<model::Sighting>> FakeNetwork::default_routes(std::span<const std::uint32_t> /*except*/) {
  if (auto status = fault(Operation::kDefaultRoutes); !status) return fail(status.error());
  return default_routes_;
}

}  // namespace anubis::network

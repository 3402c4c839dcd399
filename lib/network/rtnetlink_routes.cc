// RtnetlinkNetwork, the part about routes.
#include <algorithm>
#include <cerrno>
#include <utility>

#include <linux/rtnetlink.h>

#include "lib/network/describe.h"
#include "lib/network/rtnetlink_network.h"

namespace anubis::network {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

// Stands in the place of the other one: no second route of the same prefix, table and metric can be added.
bool same_place(const Route& a, const Route& b) {
  return a.prefix == b.prefix && a.table == b.table && a.metric == b.metric;
}

// Does what the route is to do, whoever made it.
bool does_the_same(const RouteRecord& record, const Route& route) {
  return record.expressible && record.route.kind == route.kind && record.route.ifindex == route.ifindex;
}

}  // namespace

std::vector<Failure> RtnetlinkNetwork::add_routes(std::span<const Route> routes) {
  std::vector<Message> messages;
  messages.reserve(routes.size());
  for (const Route& route : routes) messages.push_back(route_addition(route));
  const auto answers = transactor_.execute(messages);
  std::vector<Failure> failures;
  std::vector<std::size_t> refused;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    if (answers[i].error == 0) continue;
    if (answers[i].error == EEXIST) {
      refused.push_back(i);
    } else {
      failures.push_back({i, refusal_on(routes[i].ifindex, answers[i], "add route " + describe(routes[i]),
                                        routes[i].prefix.family())});
    }
  }
  if (!refused.empty()) settle_refused(routes, refused, failures);
  return failures;
}

void RtnetlinkNetwork::settle_refused(std::span<const Route> routes, std::span<const std::size_t> refused,
                                      std::vector<Failure>& failures) {
  // Ours, mostly: the kernel hands those out alone, however large the table is.
  const auto ours = records({routes[refused.front()].protocol, routes[refused.front()].table}, std::nullopt);
  std::vector<std::size_t> foreign;
  for (const std::size_t index : refused) {
    const auto in_place = [&](const RouteRecord& record) {
      return same_place(record.route, routes[index]) && does_the_same(record, routes[index]);
    };
    if (!ours || std::ranges::none_of(*ours, in_place)) foreign.push_back(index);
  }
  std::optional<std::pair<std::uint32_t, model::Family>> listed;  // whose routes `all` holds
  Result<std::vector<RouteRecord>> all;
  for (const std::size_t index : foreign) {
    const Route& route = routes[index];
    if (const auto wanted = std::pair(route.table, route.prefix.family()); listed != wanted) {
      all = records({std::nullopt, wanted.first}, wanted.second);
      listed = wanted;
    }
    if (!all) {
      failures.push_back({index, all.error().within("cannot add route " + describe(route))});
      continue;
    }
    const auto holder =
        std::ranges::find_if(*all, [&](const RouteRecord& record) { return same_place(record.route, route); });
    if (holder == all->end()) {
      failures.push_back({index,
                          {ErrorCode::kBusy,
                           "cannot add route " + describe(route) + ": another one was there and has gone; try again"}});
    } else if (!does_the_same(*holder, route)) {
      failures.push_back({index,
                          {ErrorCode::kExists, "cannot add route " + describe(route) + ": " + describe(*holder) +
                                                   " stands in its place; remove that or use a table of its own"}});
    }
  }
  std::ranges::sort(failures, {}, &Failure::index);
}

std::vector<Failure> RtnetlinkNetwork::remove_routes(std::span<const Route> routes) {
  std::vector<Message> messages;
  messages.reserve(routes.size());
  for (const Route& route : routes) messages.push_back(route_removal(route));
  const auto answers = transactor_.execute(messages);
  std::vector<Failure> failures;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const Answer& answer = answers[i];
    // ESRCH: no such route; ENODEV: its link is gone, and the route went with it.
    const bool gone = answer.error == ESRCH || answer.error == ENODEV;
    const bool impossible = routes[i].prefix.family() == model::Family::kV6 && means_no_such_family(answer);
    if (answer.error == 0 || gone || impossible) continue;
    failures.push_back({i, refusal(answer, "remove route " + describe(routes[i]), routes[i].prefix.family())});
  }
  return failures;
}

Result<std::vector<RouteRecord>> RtnetlinkNetwork::records(const RouteFilter& filter,
                                                           std::optional<model::Family> only_family) {
  std::vector<RouteRecord> found;
  for (const model::Family family : {model::Family::kV4, model::Family::kV6}) {
    if (only_family && *only_family != family) continue;
    std::vector<RouteRecord> of_family;
    const Answer answer = transactor_.dump(
        route_dump(family, filter), [&] { of_family.clear(); },
        [&](const ReceivedMessage& message) {
          auto record = parse_route(message);
          if (!record || record->route.prefix.family() != family) return;
          if (filter.protocol && record->route.protocol != *filter.protocol) return;
          if (filter.table && record->route.table != *filter.table) return;
          of_family.push_back(std::move(*record));
        });
    const bool no_such_table = filter.table && answer.error == ENOENT;
    const bool no_such_family = family == model::Family::kV6 && means_no_such_family(answer);
    if (answer.error != 0 && !no_such_table && !no_such_family) return fail(refusal(answer, "list the routes"));
    std::ranges::move(of_family, std::back_inserter(found));
  }
  return found;
}

Result<std::vector<Route>> RtnetlinkNetwork::routes(const RouteFilter& filter) {
  const auto all = records(filter, std::nullopt);
  if (!all) return fail(all.error());
  std::vector<Route> expressible;
  for (const RouteRecord& record : *all)
    if (record.expressible) expressible.push_back(record.route);
  return expressible;
}

Result<RouteAnswer> RtnetlinkNetwork::route_to(const RouteQuery& query) {
  std::optional<RouteRecord> record;
  std::uint32_t ifindex = 0;
  const Answer answer = transactor_.get(route_query(query), [&](const ReceivedMessage& message) {
    record = parse_route(message);
    // Of whatever type: an address of our own is "local" and leads to the loopback link.
    ifindex = Attributes::behind(message.payload, sizeof(rtmsg)).u32(RTA_OIF).value_or(0);
  });
  const std::string what = "find a route to " + query.destination.to_string();
  if (answer.error != 0) {
    base::Error error = refusal(answer, what, query.destination.family());
    // These are the answers of routes that refuse: prohibit, blackhole, unreachable.
    if (answer.error == EINVAL || (answer.error == EACCES && query.destination.family() == model::Family::kV4))
      error.code = ErrorCode::kUnreachable;
    return fail(std::move(error));
  }
  if (!record) return fail(ErrorCode::kInternal, "cannot " + what + ": the kernel's answer is not a route");
  // IPv6 answers with the refusing route itself instead of an error.
  if (record->type == RTN_UNREACHABLE || record->type == RTN_PROHIBIT || record->type == RTN_BLACKHOLE ||
      record->type == RTN_THROW)
    return fail(ErrorCode::kUnreachable, "cannot " + what + ": there is none");
  return RouteAnswer{ifindex, record->route.table, record->gateway, record->source};
}

}  // namespace anubis::network

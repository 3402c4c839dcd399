#include "lib/roaming/place.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>
#include <strings.h>

namespace anubis::roaming {
namespace {

using model::Sighting;
using model::SightingKind;

std::string describe_gateway(const Sighting& route) {
  return fmt::format("{} on {}", route.address ? route.address->to_string() : "without an address", route.link);
}

// The reason, when the mark is seen.
struct Find {
  const Surroundings& surroundings;

  std::optional<std::string> operator()(const ConnectionName& name) const {
    if (!surroundings.connections) return std::nullopt;
    for (const Connection& connection : *surroundings.connections) {
      const bool is_it = connection.name == name.text || strcasecmp(connection.uuid.c_str(), name.text.c_str()) == 0;
      if (is_it) return "connection " + connection.name;
    }
    return std::nullopt;
  }

  std::optional<std::string> operator()(const model::MacAddress& mac) const {
    for (const Sighting& seen : surroundings.sightings) {
      if (seen.kind != SightingKind::kDefaultRoute || seen.mac != mac) continue;
      return fmt::format("gateway {} ({})", mac.to_string(), describe_gateway(seen));
    }
    return std::nullopt;
  }

  std::optional<std::string> operator()(const model::IpPrefix& range) const {
    for (const Sighting& seen : surroundings.sightings) {
      if (seen.kind != SightingKind::kAddress || !seen.address || !range.contains(*seen.address)) continue;
      return fmt::format("address {} on {} is within {}", seen.address->to_string(), seen.link, range.to_string());
    }
    return std::nullopt;
  }
};

template <class Kind>
bool has_mark(std::span<const Mark> home) {
  return std::ranges::any_of(home, [](const Mark& mark) { return std::holds_alternative<Kind>(mark); });
}

bool is_default_route(const Sighting& seen) { return seen.kind == SightingKind::kDefaultRoute; }

}  // namespace

const char* name_of(Place place) {
  switch (place) {
    case Place::kUnknown:
      return "unknown";
    case Place::kOffline:
      return "offline";
    case Place::kAway:
      return "away";
    case Place::kHome:
      return "home";
  }
  return "";
}

Whereabouts locate(std::span<const Mark> home, const Surroundings& surroundings) {
  if (home.empty()) return {Place::kUnknown, "the configuration does not say what home is"};
  for (const Mark& mark : home) {
    if (auto reason = std::visit(Find{surroundings}, mark)) return {Place::kHome, std::move(*reason)};
  }

  const auto& sightings = surroundings.sightings;
  const bool has_route = std::ranges::any_of(sightings, is_default_route);
  const bool has_address = std::ranges::any_of(sightings, [&](const Sighting& seen) {
    // Behind a bridge or a tunnel alone there is nobody, unless a default route says otherwise.
    return seen.kind == SightingKind::kAddress && (seen.is_uplink || has_route);
  });
  if (!has_address) return {Place::kOffline, "no link has an address that reaches beyond it"};
  if (has_mark<model::MacAddress>(home)) {
    if (!has_route) return {Place::kOffline, "no default route, so no gateway to tell the place by"};
    for (const Sighting& seen : sightings) {
      if (!is_default_route(seen) || !seen.is_resolving) continue;
      return {Place::kUnknown,
              fmt::format("the MAC address of the gateway {} is not known yet", describe_gateway(seen)), true};
    }
  }
  if (has_mark<ConnectionName>(home) && !surroundings.connections) {
    return {Place::kUnknown, "the active connections are not known yet; they come with: anubis nm-event"};
  }
  return {Place::kAway, "nothing here is a mark of home"};
}

}  // namespace anubis::roaming

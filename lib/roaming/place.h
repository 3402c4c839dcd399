// Where this host is, by what can be seen now. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/model/sighting.h"
#include "lib/roaming/home.h"

namespace anubis::roaming {

enum class Place : std::uint8_t {
  kUnknown,  // cannot be told, or cannot be told yet
  kOffline,  // no network is there to be at
  kAway,
  kHome,
};

[[nodiscard]] const char* name_of(Place place);

// An active connection of NetworkManager's.
struct Connection {
  std::string name;
  std::string uuid;

  bool operator==(const Connection&) const = default;
};

struct Surroundings {
  std::vector<model::Sighting> sightings;
  std::optional<std::vector<Connection>> connections;  // none: nobody has told them yet
};

struct Whereabouts {
  Place place = Place::kUnknown;
  std::string reason;          // a few words: what tells it
  bool is_soon_known = false;  // a gateway is being asked for its MAC address

  bool operator==(const Whereabouts&) const = default;
};

// One mark that is found is home, whatever else is there. Away is decided only when no mark can turn up any more: no
// gateway's MAC address is being resolved, and connections are known, as far as the marks ask for them. Without a
// usable address, or, where home has a gateway, without a default route, the host is offline.
[[nodiscard]] Whereabouts locate(std::span<const Mark> home, const Surroundings& surroundings);

}  // namespace anubis::roaming

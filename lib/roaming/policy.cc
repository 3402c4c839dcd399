#include "lib/roaming/policy.h"

#include <utility>

namespace anubis::roaming {
namespace {

// kAsItIs: nothing can be concluded from it.
Wanted wanted_at(Place place) {
  switch (place) {
    case Place::kUnknown:
    case Place::kOffline:
      return Wanted::kAsItIs;
    case Place::kAway:
      return Wanted::kUp;
    case Place::kHome:
      return Wanted::kDown;
  }
  return Wanted::kAsItIs;
}

}  // namespace

void Policy::configure(const Settings& settings) {
  if (settings.home != settings_.home) {
    wanted_ = Wanted::kAsItIs;
    held_.reset();
  }
  settings_ = settings;
}

Wanted Policy::see(Place place, base::Time now) {
  if (settings_.home.empty()) {
    return std::exchange(wanted_, Wanted::kUp) == Wanted::kUp ? Wanted::kAsItIs : Wanted::kUp;
  }
  const Wanted wanted = wanted_at(place);
  if (wanted == Wanted::kAsItIs || wanted == wanted_) {
    held_.reset();
    return Wanted::kAsItIs;
  }
  if (!held_ || held_->place != place) held_ = Held{place, now};
  if (now - held_->since < settings_.hold_down) return Wanted::kAsItIs;
  held_.reset();
  wanted_ = wanted;
  return wanted;
}

std::optional<base::Time> Policy::held_until() const {
  if (!held_) return std::nullopt;
  return held_->since + settings_.hold_down;
}

}  // namespace anubis::roaming

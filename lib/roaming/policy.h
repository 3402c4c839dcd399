// What is to be done about the place. Pure: places and the time go in, decisions come out.
//
//            another place, away or home, without a break for hold_down: that is acted upon, once
//            ┌────────────────────────────────────────────────────────────────────────────┐
//        (settled: nowhere, away or home) ── another place ──▶ (held: until when) ────────┘
//            ▲                                                    │
//            └──── the settled place again, offline or unknown ───┘
//
// Offline and unknown change nothing, and begin the hold-down anew: who comes back to where he was has not moved.
#pragma once

#include <optional>

#include "lib/base/clock.h"
#include "lib/roaming/home.h"
#include "lib/roaming/place.h"

namespace anubis::roaming {

enum class Wanted {
  kAsItIs,  // nothing has been decided
  kUp,
  kDown,
};

class Policy {
 public:
  explicit Policy(const Settings& settings) : settings_(settings) {}

  // Other settings. Where home is another one, the next settled place is acted upon, be it the same as before.
  void configure(const Settings& settings);

  // What is wanted of the automatic peers from now on, when that has just been decided; kAsItIs otherwise. Where
  // nowhere is home they are wanted always: the first call says so.
  [[nodiscard]] Wanted see(Place place, base::Time now);
  // While a place is held down: see() again then, if not before.
  [[nodiscard]] std::optional<base::Time> held_until() const;

  // What was decided last.
  [[nodiscard]] Wanted wanted() const { return wanted_; }

 private:
  struct Held {
    Place place{};
    base::Time since;
  };

  Settings settings_;
  Wanted wanted_ = Wanted::kAsItIs;
  std::optional<Held> held_;
};

}  // namespace anubis::roaming

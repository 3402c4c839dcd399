#include "anubisd/roaming.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "lib/base/duration.h"
#include "lib/base/log.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using base::BootClock;
using roaming::Place;
using roaming::Wanted;
namespace log = base::log;

// Changes come in swarms; one look after a while serves them all.
constexpr base::Duration kSettle = 300ms;
constexpr base::Duration kEvery = 60s;
// For a gateway that is being asked. A host that does not answer for so long is looked at every minute like the rest.
constexpr base::Duration kFirstAgain = 100ms;
constexpr base::Duration kLongestAgain = 10s;
// The unit has the connections told right behind the start.
constexpr base::Duration kPatience = 5s;

}  // namespace

Roaming::Roaming(Loop& loop, netd::Netd& netd, const model::PeerDirectory& directory, const roaming::Settings& settings,
                 Listener& listener)
    : netd_(netd),
      directory_(directory),
      listener_(listener),
      settings_(settings),
      policy_(settings),
      whereabouts_(roaming::locate(settings.home, {})),
      surroundings_(loop, netd.surroundings_fd()),
      resume_(loop),
      soon_(loop),
      again_(loop),
      every_minute_(loop),
      patience_(loop) {}

void Roaming::start() {
  wait_for_change();
  resume_.when_resumed([this] {
    network_changed_ = true;
    look_soon();
  });
  patience_.after(kPatience, [this] {
    // Nobody tells: then no connection can be home, and the host is not kept from being away.
    if (!connections_) told(std::vector<roaming::Connection>());
  });
  reloaded(settings_);
}

void Roaming::stop() {
  surroundings_.cancel();
  resume_.cancel();
  for (Timer* const timer : {&soon_, &again_, &every_minute_, &patience_}) timer->cancel();
}

void Roaming::reloaded(const roaming::Settings& settings) {
  settings_ = settings;
  policy_.configure(settings_);
  std::unordered_set<model::PeerIndex> added;
  const auto known = std::exchange(automatic_, {});
  directory_.for_each([&](model::PeerIndex index, const model::Peer& peer) {
    if (!peer.is_automatic) return;
    automatic_.insert(index);
    if (!known.contains(index)) added.insert(index);
  });
  // What was decided before holds for them, too.
  if (const Wanted wanted = policy_.wanted(); wanted != Wanted::kAsItIs) {
    for (const model::PeerIndex index : added) listener_.wants(index, wanted == Wanted::kUp);
  }
  look();
}

void Roaming::told(std::optional<std::vector<roaming::Connection>> connections) {
  if (connections) {
    connections_ = std::move(connections);
    patience_.cancel();
  }
  look_soon();
}

std::string Roaming::reason() const {
  if (!policy_.held_until()) return whereabouts_.reason;
  return fmt::format("{}; nothing is done about it before it has lasted for {}", whereabouts_.reason,
                     base::format_duration(settings_.hold_down));
}

void Roaming::wait_for_change() {
  surroundings_.when_readable([this] {
    network_changed_ = true;
    look_soon();
  });
}

void Roaming::look_soon() {
  if (soon_.due()) return;
  soon_.after(kSettle, [this] { look(); });
}

void Roaming::look() {
  soon_.cancel();
  auto found = find_place();
  // That look has quietened it.
  wait_for_change();
  if (std::exchange(network_changed_, false)) listener_.network_changed();
  const bool is_new = found != whereabouts_;
  whereabouts_ = std::move(found);
  if (is_new) {
    log::info("roaming.place", "{}: {}", roaming::name_of(whereabouts_.place), whereabouts_.reason);
    listener_.place_changed(whereabouts_);
  }
  const base::Time now = BootClock::now();
  act(policy_.see(whereabouts_.place, now));
  look_again_if_need_be(now);
  every_minute_.after(kEvery, [this] { look(); });
}

roaming::Whereabouts Roaming::find_place() {
  auto sightings = netd_.look_around();
  if (!sightings) return {Place::kUnknown, sightings.error().message};
  return roaming::locate(settings_.home, {std::move(*sightings), connections_});
}

void Roaming::look_again_if_need_be(base::Time now) {
  again_.cancel();
  if (!whereabouts_.is_soon_known) look_again_after_ = base::Duration{0};
  if (const auto until = policy_.held_until()) {
    again_.at(std::max(*until, now), [this] { look(); });
  } else if (whereabouts_.is_soon_known && look_again_after_ < kLongestAgain) {
    look_again_after_ = std::clamp(look_again_after_ * 2, kFirstAgain, kLongestAgain);
    again_.after(look_again_after_, [this] { look(); });
  }
}

void Roaming::act(Wanted wanted) {
  switch (wanted) {
    case Wanted::kAsItIs:
      return;
    case Wanted::kUp:
    case Wanted::kDown:
      break;
  }
  if (automatic_.empty()) return;
  log::info("roaming.wanted", "automatic peers are {}", wanted == Wanted::kUp ? "brought up" : "taken down");
  for (const model::PeerIndex index : automatic_) listener_.wants(index, wanted == Wanted::kUp);
}

}  // namespace anubis::daemon

// Keeps an eye on where this host is, and says when the automatic peers are wanted (lib/roaming decides). It looks at
// the present state, whatever the occasion: a change that netd or NetworkManager tells of, a resume, the next minute.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "anubisd/netd/netd.h"
#include "anubisd/resume_watch.h"
#include "anubisd/timer.h"
#include "lib/model/directory.h"
#include "lib/roaming/place.h"
#include "lib/roaming/policy.h"

namespace anubis::daemon {

class Roaming {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // From now on, until the place is another one or a user says otherwise.
    virtual void wants(model::PeerIndex peer, bool up) = 0;
    virtual void place_changed(const roaming::Whereabouts& whereabouts) = 0;
    // Addresses or default routes came or went, or the host slept: what was on the way is lost.
    virtual void network_changed() = 0;
  };

  // All must outlive it.
  Roaming(Loop& loop, netd::Netd& netd, const model::PeerDirectory& directory, const roaming::Settings& settings,
          Listener& listener);

  void start();
  void stop();
  // After a reload, when the directory holds the new peers.
  void reloaded(const roaming::Settings& settings);
  // The active connections of NetworkManager; none: they could not be asked for, but something happened.
  void told(std::optional<std::vector<roaming::Connection>> connections);

  [[nodiscard]] bool has_home() const { return !settings_.home.empty(); }
  [[nodiscard]] roaming::Place place() const { return whereabouts_.place; }
  // What tells it, and whether it is held down.
  [[nodiscard]] std::string reason() const;

 private:
  void wait_for_change();
  void look_soon();
  void look();
  void look_again_if_need_be(base::Time now);
  void act(roaming::Wanted wanted);
  [[nodiscard]] roaming::Whereabouts find_place();

  netd::Netd& netd_;
  const model::PeerDirectory& directory_;
  Listener& listener_;
  roaming::Settings settings_;
  roaming::Policy policy_;
  roaming::Whereabouts whereabouts_;
  std::optional<std::vector<roaming::Connection>> connections_;
  std::unordered_set<model::PeerIndex> automatic_;  // that have been acted for
  bool network_changed_ = false;                    // and the listener has not heard of it yet
  base::Duration look_again_after_{0};

  Watch surroundings_;
  ResumeWatch resume_;
  Timer soon_;
  Timer again_;  // a place is held down, or a gateway is being asked for its MAC address
  Timer every_minute_;
  Timer patience_;  // with whoever should tell the connections
};

}  // namespace anubis::daemon

// Keeps both interfaces as the configuration wants them: brings them up, again when something happened to them, and
// every minute to be sure.
#pragma once

#include <array>
#include <functional>
#include <string>

#include "anubisd/netd/netd.h"
#include "anubisd/timer.h"

namespace anubis::daemon {

class Interfaces {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // The device is a new one: whatever was installed on the last is not on it. Called again after a failure. Not
    // called from start().
    virtual base::Status made_anew(netd::Interface which) = 0;
    // What is wrong, in a sentence; empty: all is well again.
    virtual void health_changed(const std::string& degraded) = 0;
  };

  Interfaces(Loop& loop, netd::Netd& netd, Listener& listener);

  // Both must come up.
  base::Status start();
  void stop();

  [[nodiscard]] const netd::InterfaceReport& report(netd::Interface which) const { return at(which).report; }
  [[nodiscard]] const std::string& degraded() const { return degraded_; }

 private:
  struct Kept {
    explicit Kept(Loop& loop, netd::Interface the_interface) : which(the_interface), timer(loop) {}

    netd::Interface which;
    netd::InterfaceReport report;
    bool is_anew = false;  // and the listener has not dealt with it yet
    std::string error;     // empty: all is well
    base::Duration retry_after{0};
    Timer timer;
  };

  [[nodiscard]] Kept& at(netd::Interface which) { return kept_[static_cast<std::size_t>(which)]; }
  [[nodiscard]] const Kept& at(netd::Interface which) const { return kept_[static_cast<std::size_t>(which)]; }
  void wait_for_events();
  void heal(Kept& kept);
  base::Status bring_up(Kept& kept);
  void update_health();

  netd::Netd& netd_;
  Listener& listener_;
  std::array<Kept, 2> kept_;
  std::string degraded_;
  Timer pause_;
  Watch events_;
};

}  // namespace anubis::daemon

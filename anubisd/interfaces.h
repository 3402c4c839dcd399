// Keeps both interfaces as the configuration wants them: brings them up, again when something happened to them, and
// every now and then to be sure: WireGuard tells nobody when somebody changes its peers or keys.
#pragma once

#include <array>
#include <functional>
#include <string>

#include "anubisd/netd/netd.h"
#include "anubisd/timer.h"

namespace anubis::daemon {

// Until the next look at both interfaces, when the last one took so long and nothing is heard of them: often enough
// that others' changes do no harm for long, and seldom enough to cost little.
[[nodiscard]] base::Duration check_period(base::Duration took);

class Interfaces {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // The device is a new one: whatever was installed on the last is not on it. Called again after a failure. Not
    // called from start().
    virtual base::Status made_anew(netd::Interface which) = 0;
    // Somebody else changed what is ours, and it has been put right.
    virtual void drifted(const netd::Drift& drift) = 0;
    // The production interface is gone or down and could not be brought back at the first try, so that no session
    // carries anything: once, with the reason. Then once when it is back, its sessions with it. It is tried all the
    // time in between.
    virtual void production_lost(const std::string& reason) = 0;
    virtual void production_back() = 0;
    // What is wrong, in a sentence; empty: all is well again.
    virtual void health_changed(const std::string& degraded) = 0;
  };

  Interfaces(Loop& loop, netd::Netd& netd, Listener& listener);

  // Both must come up.
  base::Status start();
  void stop();

  [[nodiscard]] const netd::InterfaceReport& report(netd::Interface which) const { return at(which).report; }
  [[nodiscard]] const std::string& degraded() const { return degraded_; }
  [[nodiscard]] bool production_is_lost() const { return production_is_lost_; }

 private:
  struct Kept {
    explicit Kept(Loop& loop, netd::Interface the_interface) : which(the_interface), retry(loop) {}

    netd::Interface which;
    netd::InterfaceReport report;
    bool is_anew = false;  // and the listener has not dealt with it yet
    std::string error;     // empty: all is well
    base::Duration retry_after{0};
    base::Time tried;
    Timer retry;
  };

  [[nodiscard]] Kept& at(netd::Interface which) { return kept_[static_cast<std::size_t>(which)]; }
  [[nodiscard]] const Kept& at(netd::Interface which) const { return kept_[static_cast<std::size_t>(which)]; }
  void wait_for_events();
  void disturbed(Kept& kept);
  void check_all();
  void heal(Kept& kept);
  base::Status bring_up(Kept& kept);
  void take_drift();
  void update_health();

  netd::Netd& netd_;
  Listener& listener_;
  std::array<Kept, 2> kept_;
  std::string degraded_;
  bool production_is_lost_ = false;
  Timer check_;
  Timer pause_;
  Watch events_;
};

}  // namespace anubis::daemon

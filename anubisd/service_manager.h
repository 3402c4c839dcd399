// What systemd wants to hear of a unit with Type=notify (sd_notify(3)): that the start is over, that the end has begun,
// and, with WatchdogSec=, that the loop still turns. Without systemd nobody is told.
#pragma once

#include <string>

#include "anubisd/loop.h"
#include "anubisd/timer.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"

namespace anubis::daemon {

class ServiceManager {
 public:
  struct Environment {
    std::string notify_socket;            // a path, or a name in the abstract namespace behind an @; empty: none
    base::Duration watchdog_interval{0};  // we are killed when silent for so long; 0: never
  };
  // Of $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID.
  [[nodiscard]] static Environment environment();

  ServiceManager(Loop& loop, Environment environment);

  // Commands are taken. From now on the watchdog hears from us, twice an interval.
  void ready();
  void stopping();

 private:
  void tell(std::string_view state) const;
  void feed();

  Environment environment_;
  base::Fd socket_;
  Timer timer_;
};

}  // namespace anubis::daemon

// A timer by CLOCK_BOOTTIME, which Asio's own timers cannot follow: it goes on while the machine sleeps, and what fell
// due meanwhile comes at once when it wakes.
#pragma once

#include <optional>

#include "anubisd/loop.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"

namespace anubis::daemon {

class Timer {
 public:
  explicit Timer(Loop& loop);

  // Once, not before that time. Replaces what was asked for before.
  void at(base::Time time, Callback callback);
  void after(base::Duration duration, Callback callback) { at(base::BootClock::now() + duration, std::move(callback)); }
  void cancel();
  // When it will come; none: it was not asked, or has come.
  [[nodiscard]] std::optional<base::Time> due() const { return due_; }

 private:
  void expired();

  base::Fd fd_;
  Watch watch_;
  Callback callback_;
  std::optional<base::Time> due_;
};

}  // namespace anubis::daemon

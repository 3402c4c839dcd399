// Notices that the host has slept: what the network told before is of no worth, and CLOCK_BOOTTIME's timers that fell
// due meanwhile are not the only thing to see to.
#pragma once

#include <functional>

#include "anubisd/loop.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"

namespace anubis::daemon {

class ResumeWatch {
 public:
  // slept_so_far: for how long since the boot.
  explicit ResumeWatch(Loop& loop, std::function<base::Duration()> slept_so_far = slept_since_boot);
  [[nodiscard]] static base::Duration slept_since_boot();

  // Each time.
  void when_resumed(Callback callback);
  void cancel();

 private:
  void arm();
  void clock_was_set();

  base::Fd fd_;
  Watch watch_;
  Callback callback_;
  std::function<base::Duration()> slept_so_far_;
  base::Duration slept_;
};

}  // namespace anubis::daemon

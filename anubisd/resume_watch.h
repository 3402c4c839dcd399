// Notices that the host has slept: what the network told before is of no worth, and CLOCK_BOOTTIME's timers that fell
// due meanwhile are not the only thing to see to.
#pragma once

#include "anubisd/loop.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"

namespace anubis::daemon {

class ResumeWatch {
 public:
  explicit ResumeWatch(Loop& loop);

  // Each time.
  void when_resumed(Callback callback);
  void cancel();

 private:
  void arm();
  void clock_was_set();

  base::Fd fd_;
  Watch watch_;
  Callback callback_;
  base::Duration slept_;  // since the boot
};

}  // namespace anubis::daemon

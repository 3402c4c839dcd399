// Time is CLOCK_BOOTTIME: it goes on during suspend and knows nothing of the wall clock, which may be wrong by years.
#pragma once

#include <chrono>

#include <time.h>

namespace anubis::base {

struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;

  static time_point now() noexcept {
    timespec spec{};
    clock_gettime(CLOCK_BOOTTIME, &spec);  // cannot fail: the clock exists and the pointer is good
    return time_point(std::chrono::seconds(spec.tv_sec) + std::chrono::nanoseconds(spec.tv_nsec));
  }
};

using Duration = BootClock::duration;
using Time = BootClock::time_point;

}  // namespace anubis::base

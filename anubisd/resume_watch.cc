#include "anubisd/resume_watch.h"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <system_error>
#include <utility>

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

namespace anubis::daemon {
namespace {

// The two clocks are read one after the other.
constexpr base::Duration kTolerance = std::chrono::milliseconds(100);

base::Fd make_timer() {
  base::Fd fd(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!fd) throw std::system_error(errno, std::generic_category(), "timerfd_create");
  return fd;
}

}  // namespace

// CLOCK_MONOTONIC stands still during a suspend.
base::Duration ResumeWatch::slept_since_boot() {
  timespec awake{};
  clock_gettime(CLOCK_MONOTONIC, &awake);  // cannot fail
  return base::BootClock::now().time_since_epoch() - std::chrono::seconds(awake.tv_sec) -
         std::chrono::nanoseconds(awake.tv_nsec);
}

ResumeWatch::ResumeWatch(Loop& loop, std::function<base::Duration()> slept_so_far)
    : fd_(make_timer()), watch_(loop, fd_.get()), slept_so_far_(std::move(slept_so_far)), slept_(slept_so_far_()) {}

void ResumeWatch::when_resumed(Callback callback) {
  callback_ = std::move(callback);
  arm();
}

void ResumeWatch::cancel() { watch_.cancel(); }

void ResumeWatch::arm() {
  // The kernel cancels such a timer when the wall clock is set, which a resume does (timerfd_resume() in fs/timerfd.c).
  // By itself it would come in the year 36812.
  itimerspec spec{};
  spec.it_value.tv_sec = std::int64_t{1} << 40;
  (void)timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, nullptr);
  watch_.when_readable([this] { clock_was_set(); });
}

void ResumeWatch::clock_was_set() {
  std::uint64_t expirations = 0;
  (void)!read(fd_.get(), &expirations, sizeof expirations);  // ECANCELED, and quiet again
  arm();
  const base::Duration slept = slept_so_far_();
  const bool has_slept = slept - std::exchange(slept_, slept) > kTolerance;
  if (has_slept) callback_();
}

}  // namespace anubis::daemon

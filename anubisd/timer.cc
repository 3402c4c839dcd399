#include "anubisd/timer.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include <sys/timerfd.h>
#include <unistd.h>

namespace anubis::daemon {
namespace {

// Out of descriptors or memory: as with Asio's own objects, an exception that main() tells.
base::Fd make_timer() {
  base::Fd fd(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!fd) throw std::system_error(errno, std::generic_category(), "timerfd_create");
  return fd;
}

void set(int fd, std::chrono::nanoseconds since_boot) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
  itimerspec spec{};
  spec.it_value.tv_sec = seconds.count();
  spec.it_value.tv_nsec = (since_boot - seconds).count();
  (void)timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, nullptr);  // cannot fail: the arguments are good
}

}  // namespace

Timer::Timer(Loop& loop) : fd_(make_timer()), watch_(loop, fd_.get()) {}

void Timer::at(base::Time time, Callback callback) {
  callback_ = std::move(callback);
  due_ = time;
  set(fd_.get(), std::max(time.time_since_epoch(), base::Duration{1}));  // zero would disarm it
  watch_.when_readable([this] { expired(); });
}

void Timer::cancel() {
  callback_ = nullptr;
  due_.reset();
  set(fd_.get(), base::Duration{0});
  watch_.cancel();
}

void Timer::expired() {
  std::uint64_t times = 0;
  if (read(fd_.get(), &times, sizeof times) != sizeof times) {  // set anew after it had become readable
    return watch_.when_readable([this] { expired(); });
  }
  due_.reset();
  if (const Callback callback = std::exchange(callback_, nullptr)) callback();
}

}  // namespace anubis::daemon

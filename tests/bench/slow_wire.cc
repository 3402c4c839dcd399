// bench_slow_wire MILLISECONDS TAP TAP
//
// A wire that is long: makes two tap devices and carries each frame from one to the other, that much later. For
// kernels without netem. Ends on SIGTERM, and the devices with it.
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/fd.h"

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const std::string& text) {
  fmt::print(stderr, "bench_slow_wire: {}\n", text);
  std::exit(1);
}

anubis::base::Fd open_tap(std::string_view name) {
  anubis::base::Fd fd(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) die(fmt::format("/dev/net/tun: {}", std::strerror(errno)));
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (name.size() >= sizeof request.ifr_name) die(fmt::format("{} is too long for an interface", name));
  name.copy(request.ifr_name, name.size());
  if (ioctl(fd.get(), TUNSETIFF, &request) != 0) die(fmt::format("{}: {}", name, std::strerror(errno)));
  return fd;
}

// One direction.
class Lane {
 public:
  Lane(int from, int to, Clock::duration delay) : from_(from), to_(to), delay_(delay) {}

  void take() {
    std::array<std::uint8_t, 2048> frame;
    ssize_t size = 0;
    while ((size = read(from_, frame.data(), frame.size())) > 0) {
      frames_.push_back({Clock::now() + delay_, {frame.begin(), frame.begin() + size}});
    }
  }

  void give(Clock::time_point now) {
    while (!frames_.empty() && frames_.front().due <= now) {
      // A device that is down, or full, loses it, as wires do.
      (void)!write(to_, frames_.front().bytes.data(), frames_.front().bytes.size());
      frames_.pop_front();
    }
  }

  [[nodiscard]] std::optional<Clock::time_point> next() const {
    if (frames_.empty()) return std::nullopt;
    return frames_.front().due;
  }

 private:
  struct Frame {
    Clock::time_point due;
    std::vector<std::uint8_t> bytes;
  };
  int from_;
  int to_;
  Clock::duration delay_;
  std::deque<Frame> frames_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) die("usage: bench_slow_wire MILLISECONDS TAP TAP");
  unsigned delay = 0;
  const std::string_view text = argv[1];
  if (std::from_chars(text.data(), text.data() + text.size(), delay).ec != std::errc{}) die("no such delay");
  const auto one = open_tap(argv[2]);
  const auto other = open_tap(argv[3]);
  std::array lanes{Lane(one.get(), other.get(), std::chrono::milliseconds(delay)),
                   Lane(other.get(), one.get(), std::chrono::milliseconds(delay))};
  while (true) {
    std::optional<Clock::time_point> next;
    for (const Lane& lane : lanes) {
      if (const auto due = lane.next()) next = std::min(next.value_or(*due), *due);
    }
    std::array<pollfd, 2> wait{pollfd{one.get(), POLLIN, 0}, pollfd{other.get(), POLLIN, 0}};
    timespec left{};
    if (next) {
      const auto duration = std::max(Clock::duration::zero(), *next - Clock::now());
      left.tv_sec = std::chrono::floor<std::chrono::seconds>(duration).count();
      left.tv_nsec = (duration % std::chrono::seconds(1)).count();
    }
    if (ppoll(wait.data(), wait.size(), next ? &left : nullptr, nullptr) < 0 && errno != EINTR) die("ppoll failed");
    for (Lane& lane : lanes) {
      lane.take();
      lane.give(Clock::now());
    }
  }
}

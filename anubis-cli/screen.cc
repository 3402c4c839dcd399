#include "anubis-cli/screen.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "anubis-cli/output.h"
#include "lib/base/clock.h"

namespace anubis::cli {
namespace {

// Alternate screen, no cursor, no wrapping of long lines; and back.
constexpr const char* kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
// Cleared before: a terminal without an alternate screen must not keep what stood there, either.
constexpr const char* kLeave = "\x1b[H\x1b[2J\x1b[?7h\x1b[?25h\x1b[?1049l";

}  // namespace

base::Result<Screen> Screen::open() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH}) sigaddset(&watched, signal);
  sigset_t mask_before;
  if (sigprocmask(SIG_BLOCK, &watched, &mask_before) != 0) return base::fail_errno(errno, "sigprocmask");
  base::Fd signals(signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return base::fail_errno(errno, "signalfd");
  Screen screen(std::move(signals), mask_before);
  screen.enter();
  return screen;
}

Screen::Screen(Screen&& other) noexcept
    : signals_(std::move(other.signals_)),
      mask_before_(other.mask_before_),
      keys_before_(other.keys_before_),
      has_keys_(other.has_keys_),
      is_open_(std::exchange(other.is_open_, false)),
      signal_(other.signal_) {}

Screen::~Screen() {
  if (!is_open_) return;
  leave();
  sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
}

void Screen::enter() {
  has_keys_ = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &keys_before_) == 0;
  if (has_keys_) {
    termios keys = keys_before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    has_keys_ = tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
  }
  std::fputs(kEnter, stdout);
  std::fflush(stdout);
  is_open_ = true;
}

void Screen::leave() {
  std::fputs(kLeave, stdout);
  std::fflush(stdout);
  if (has_keys_) tcsetattr(STDIN_FILENO, TCSANOW, &keys_before_);
}

Screen::Size Screen::size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
  return {size.ws_col, size.ws_row};
}

void Screen::show(const std::vector<std::string>& lines) {
  const std::size_t shown = std::min(lines.size(), size().rows);
  std::string text = "\x1b[H";
  for (std::size_t i = 0; i < shown; ++i) text.append(i == 0 ? "" : "\n").append(lines[i]).append("\x1b[K");
  text.append("\x1b[J");
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Screen::show_secret(std::string_view text) {
  std::fputs("\x1b[H\x1b[2J", stdout);
  (void)print_secret(text);  // a terminal that is gone has nobody before it
}

// Stopping with our screen on would leave the shell with it.
void Screen::suspend() {
  leave();
  raise(SIGSTOP);
  enter();
}

Screen::Event Screen::on_signal() {
  signalfd_siginfo info{};
  if (read(signals_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return Event::kTick;
  if (info.ssi_signo == SIGWINCH) return Event::kResized;
  if (info.ssi_signo == SIGTSTP) {
    suspend();
    return Event::kResized;
  }
  signal_ = static_cast<int>(info.ssi_signo);
  return Event::kSignal;
}

Screen::Event Screen::wait(std::chrono::milliseconds time) {
  const auto until = base::BootClock::now() + time;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - base::BootClock::now());
    if (left.count() <= 0) return Event::kTick;
    // A negative descriptor is passed over.
    pollfd sources[] = {{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                        {.fd = has_keys_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0}};
    if (poll(sources, 2, static_cast<int>(left.count())) <= 0) continue;
    if (sources[0].revents != 0) return on_signal();
    char key = 0;
    if (read(STDIN_FILENO, &key, 1) != 1) {
      has_keys_ = false;  // the terminal is gone: there will be no more keys
    } else if (key == 'q' || key == 'Q') {
      return Event::kQuit;
    }
  }
}

}  // namespace anubis::cli

// The whole terminal, as long as this object lives: the alternate screen, keys without Return, signals as return
// values. For a process with one thread.
#pragma once

#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include <termios.h>

#include "lib/base/fd.h"
#include "lib/base/result.h"

namespace anubis::cli {

class Screen {
 public:
  static base::Result<Screen> open();
  Screen(Screen&& other) noexcept;
  Screen& operator=(Screen&&) = delete;
  ~Screen();

  struct Size {
    std::size_t columns = 80;
    std::size_t rows = 24;
  };
  [[nodiscard]] static Size size();

  // Shows LINES from the top; those below the lower edge, and what stands beyond the right edge, are left out.
  void show(const std::vector<std::string>& lines);

  // Shows TEXT from the top, and nothing of it stays in a buffer of ours.
  void show_secret(std::string_view text);

  enum class Event { kTick, kResized, kQuit, kSignal };
  // Waits until TIME has passed (kTick), the terminal changed (kResized), `q` was typed, or a signal came that ends
  // the program. Ctrl-Z is dealt with within.
  Event wait(std::chrono::milliseconds time);
  [[nodiscard]] int signal() const { return signal_; }

 private:
  Screen(base::Fd signals, const sigset_t& mask_before) : signals_(std::move(signals)), mask_before_(mask_before) {}
  void enter();
  void leave();
  void suspend();
  Event on_signal();

  base::Fd signals_;
  sigset_t mask_before_;
  termios keys_before_{};
  bool has_keys_ = false;  // standard input is a terminal, set to give keys at once
  bool is_open_ = false;
  int signal_ = 0;
};

}  // namespace anubis::cli

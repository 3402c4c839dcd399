// Signals, delivered on the loop by signalfd(2): no handler of ours ever interrupts anything.
#pragma once

#include <functional>
#include <initializer_list>

#include "anubisd/loop.h"
#include "lib/base/fd.h"

namespace anubis::daemon {

// Blocks the signals in this thread, and in those that it starts later, for good: one that comes after the last
// callback is not to end a process that is ending anyway.
class Signals {
 public:
  Signals(Loop& loop, std::initializer_list<int> signals, std::function<void(int)> callback);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  void wait();
  void arrived();

  base::Fd fd_;
  Watch watch_;
  std::function<void(int)> callback_;
};

}  // namespace anubis::daemon

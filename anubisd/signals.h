// Signals, delivered on the loop.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "anubisd/loop.h"

namespace anubis::daemon {

// Programs that are started from here do not inherit any of it.
class Signals {
 public:
  Signals(Loop& loop, std::initializer_list<int> signals, std::function<void(int)> callback);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

 private:
  struct State;
  static void wait(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace anubis::daemon

// Threads for calls that block for long and cannot be asked otherwise: getaddrinfo, reading a large configuration.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "anubisd/loop.h"

namespace anubis::daemon {

enum class Urgency : unsigned char {
  kAwaited,  // somebody waits for it: first come, first served, before all that nobody waits for
  kLater,    // never takes the last thread
};

class Background {
 public:
  // Threads are started when they are needed. max_threads > 0.
  Background(Loop& loop, std::size_t max_threads);
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  // Does not wait for calls under way: their threads end by themselves and touch nothing of ours any more.
  ~Background();

  // Runs `work` on a thread, then, on the loop, what it returned. `work` must own all that it uses.
  void run(Urgency urgency, std::function<Callback()> work);

 private:
  struct Shared;
  static void serve(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
};

}  // namespace anubis::daemon

// Turns a loop until something has happened.
#pragma once

#include <chrono>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "anubisd/loop.h"
#include "anubisd/timer.h"

namespace anubis::daemon {

class LoopTest : public testing::Test {
 protected:
  // Turns the loop until `happened`, looking every millisecond. False: it did not within `limit`.
  bool run_until(const std::function<bool()>& happened, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    const base::Time deadline = base::BootClock::now() + limit;
    Timer ticker(loop_);
    bool result = false;
    const std::function<void()> look = [&] {
      result = happened();
      if (result || base::BootClock::now() >= deadline) {
        loop_.stop();
      } else {
        ticker.after(std::chrono::milliseconds(1), look);
      }
    };
    look();
    loop_.run();
    loop_.restart();
    return result;
  }
  void run_for(std::chrono::milliseconds time) {
    (void)run_until([] { return false; }, time);
  }

  Loop loop_;
};

}  // namespace anubis::daemon

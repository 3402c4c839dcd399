#include "anubisd/background.h"

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/anubisd/loop_fixture.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using BackgroundTest = LoopTest;

// Work that lasts until the test lets it go.
struct Gate {
  std::promise<void> open;
  std::shared_future<void> opened{open.get_future()};
};

TEST_F(BackgroundTest, WorksElsewhereAndAnswersOnTheLoop) {
  Background background(loop_, 2);
  const auto here = std::this_thread::get_id();
  std::thread::id worked;
  std::thread::id answered;
  background.run(Urgency::kAwaited, [&]() -> Callback {
    worked = std::this_thread::get_id();
    return [&] { answered = std::this_thread::get_id(); };
  });
  ASSERT_TRUE(run_until([&] { return answered == here; }));
  EXPECT_NE(worked, here);
}

// F69: names that nobody waits for may hang at a name server that is silent; an up typed meanwhile does not wait.
TEST_F(BackgroundTest, WhatIsAwaitedDoesNotQueueBehindWhatIsNot) {
  Background background(loop_, 3);
  Gate gate;
  std::vector<std::string> done;
  for (int i = 0; i < 10; ++i) {
    background.run(Urgency::kLater, [&done, opened = gate.opened]() -> Callback {
      opened.wait();
      return [&done] { done.emplace_back("later"); };
    });
  }
  background.run(Urgency::kAwaited, [&done]() -> Callback { return [&done] { done.emplace_back("awaited"); }; });
  ASSERT_TRUE(run_until([&] { return !done.empty(); }));
  EXPECT_THAT(done, testing::ElementsAre("awaited"));
  gate.open.set_value();
  EXPECT_TRUE(run_until([&] { return done.size() == 11; }));
}

TEST_F(BackgroundTest, ASecondTaskGetsAThreadOfItsOwnThoughOneIsIdle) {
  Background background(loop_, 2);
  int done = 0;
  background.run(Urgency::kAwaited, [&]() -> Callback { return [&] { ++done; }; });
  ASSERT_TRUE(run_until([&] { return done == 1; }));
  Gate gate;
  background.run(Urgency::kAwaited, [&, opened = gate.opened]() -> Callback {
    opened.wait();
    return [&] { ++done; };
  });
  background.run(Urgency::kAwaited, [&]() -> Callback { return [&] { ++done; }; });
  EXPECT_TRUE(run_until([&] { return done == 2; }));
  gate.open.set_value();
  EXPECT_TRUE(run_until([&] { return done == 3; }));
}

TEST_F(BackgroundTest, GoesWithoutWaitingForWorkThatHangs) {
  Gate gate;
  const auto finished = std::make_shared<std::promise<void>>();
  auto has_finished = finished->get_future();
  std::atomic<bool> answered = false;
  std::promise<void> started;
  {
    Background background(loop_, 1);
    background.run(Urgency::kAwaited, [&started, &answered, opened = gate.opened, finished]() -> Callback {
      started.set_value();
      opened.wait();
      finished->set_value();
      return [&answered] { answered = true; };
    });
    started.get_future().wait();
  }
  gate.open.set_value();
  has_finished.wait();
  run_for(20ms);
  EXPECT_FALSE(answered);
}

}  // namespace
}  // namespace anubis::daemon

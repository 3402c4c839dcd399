#include "anubisd/loop.h"

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "anubisd/timer.h"
#include "lib/base/fd.h"
#include "tests/unit/anubisd/loop_fixture.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using base::BootClock;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) ADD_FAILURE() << "pipe2";
    reading = base::Fd(ends[0]);
    writing = base::Fd(ends[1]);
  }
  void put() const { EXPECT_EQ(write(writing.get(), "x", 1), 1); }

  base::Fd reading;
  base::Fd writing;
};

using WatchTest = LoopTest;
using TimerTest = LoopTest;

TEST_F(WatchTest, CallsBackOnceEachTimeItIsAsked) {
  const Pipe pipe;
  Watch watch(loop_, pipe.reading.get());
  int calls = 0;
  watch.when_readable([&] { ++calls; });
  pipe.put();
  ASSERT_TRUE(run_until([&] { return calls == 1; }));
  run_for(20ms);
  EXPECT_EQ(calls, 1);
  watch.when_readable([&] { ++calls; });  // what was not read is still there
  EXPECT_TRUE(run_until([&] { return calls == 2; }));
}

TEST_F(WatchTest, NothingComesAfterCancelThoughItWasReadable) {
  const Pipe pipe;
  Watch watch(loop_, pipe.reading.get());
  bool called = false;
  watch.when_readable([&] { called = true; });
  pipe.put();
  watch.cancel();
  run_for(20ms);
  EXPECT_FALSE(called);
  watch.when_readable([&] { called = true; });
  EXPECT_TRUE(run_until([&] { return called; }));
}

// Asio has queued both completions when the first of them is called.
TEST_F(WatchTest, NothingComesAfterTheWatchHasGoneThoughItWasQueued) {
  const Pipe one;
  const Pipe other;
  one.put();
  other.put();
  int calls = 0;
  std::optional<Watch> first;
  std::optional<Watch> second;
  first.emplace(loop_, one.reading.get());
  second.emplace(loop_, other.reading.get());
  first->when_readable([&] {
    ++calls;
    second.reset();
  });
  second->when_readable([&] {
    ++calls;
    first.reset();
  });
  run_for(50ms);
  EXPECT_EQ(calls, 1);
}

TEST_F(WatchTest, MayBeDestroyedByItsOwnCallback) {
  const Pipe pipe;
  pipe.put();
  auto watch = std::make_unique<Watch>(loop_, pipe.reading.get());
  watch->when_readable([&] { watch.reset(); });
  EXPECT_TRUE(run_until([&] { return watch == nullptr; }));
  EXPECT_EQ(fcntl(pipe.reading.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC)
      << "the descriptor was not the watch's to close";
}

TEST_F(TimerTest, ComesNotBeforeItsTimeAndOnce) {
  Timer timer(loop_);
  const base::Time begin = BootClock::now();
  std::optional<base::Time> came;
  int calls = 0;
  timer.after(30ms, [&] {
    came = BootClock::now();
    ++calls;
  });
  EXPECT_TRUE(timer.due());
  ASSERT_TRUE(run_until([&] { return came.has_value(); }));
  EXPECT_GE(*came - begin, 30ms);
  EXPECT_FALSE(timer.due());
  run_for(50ms);
  EXPECT_EQ(calls, 1);
}

TEST_F(TimerTest, TheLastWishCounts) {
  Timer timer(loop_);
  std::vector<int> calls;
  timer.after(5ms, [&] { calls.push_back(1); });
  timer.after(20ms, [&] { calls.push_back(2); });
  ASSERT_TRUE(run_until([&] { return !calls.empty(); }));
  run_for(20ms);
  EXPECT_THAT(calls, testing::ElementsAre(2));
}

TEST_F(TimerTest, CancelledItDoesNotCome) {
  Timer timer(loop_);
  bool called = false;
  timer.at(BootClock::now(), [&] { called = true; });
  timer.cancel();
  run_for(20ms);
  EXPECT_FALSE(called);
}

TEST_F(TimerTest, TheDistantPastIsNow) {
  Timer timer(loop_);
  bool called = false;
  timer.at(base::Time{} - std::chrono::hours(1), [&] { called = true; });
  EXPECT_TRUE(run_until([&] { return called; }));
}

// The first had expired, and its completion was queued, when it was put off.
TEST_F(TimerTest, PutOffAfterItExpiredItComesAtTheNewTimeOnly) {
  Timer timer(loop_);
  Timer other(loop_);
  const base::Time begin = BootClock::now();
  std::optional<base::Time> came;
  int calls = 0;
  const auto come = [&] {
    came = BootClock::now();
    ++calls;
  };
  other.at(begin, [&] { timer.at(begin + 40ms, come); });
  timer.at(begin, come);
  // Whichever of the two Asio calls first: either it came before it was put off, too, or it did not.
  ASSERT_TRUE(run_until([&] { return came && *came - begin >= 40ms; }));
  run_for(60ms);
  EXPECT_LE(calls, 2);
}

}  // namespace
}  // namespace anubis::daemon

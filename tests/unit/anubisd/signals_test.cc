#include "anubisd/signals.h"

#include <csignal>
#include <optional>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include "tests/unit/anubisd/loop_fixture.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class SignalsTest : public LoopTest {
 protected:
  SignalsTest() { pthread_sigmask(SIG_SETMASK, nullptr, &before_); }
  ~SignalsTest() override { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

TEST_F(SignalsTest, EachIsDeliveredOnTheLoopAgainAndAgain) {
  std::vector<int> seen;
  const Signals signals(loop_, {SIGHUP, SIGUSR1}, [&](int signal) { seen.push_back(signal); });
  kill(getpid(), SIGHUP);
  kill(getpid(), SIGUSR1);
  EXPECT_THAT(seen, ElementsAre());  // not before the loop runs
  ASSERT_TRUE(run_until([&] { return seen.size() == 2; }));
  EXPECT_THAT(seen, UnorderedElementsAre(SIGHUP, SIGUSR1));
  kill(getpid(), SIGHUP);
  EXPECT_TRUE(run_until([&] { return seen.size() == 3; }));
}

TEST_F(SignalsTest, NoHandlerIsInstalled) {
  const Signals signals(loop_, {SIGUSR1}, [](int) {});
  struct sigaction action{};
  ASSERT_EQ(sigaction(SIGUSR1, nullptr, &action), 0);
  EXPECT_EQ(action.sa_handler, SIG_DFL);
}

TEST_F(SignalsTest, OneThatComesWhileThreadsRunDoesNotEndTheProcess) {
  int seen = 0;
  const Signals signals(loop_, {SIGUSR1}, [&](int) { ++seen; });
  std::thread([] { kill(getpid(), SIGUSR1); }).join();
  EXPECT_TRUE(run_until([&] { return seen == 1; }));
}

TEST_F(SignalsTest, TheCallbackMayEndIt) {
  std::optional<Signals> signals;
  int seen = 0;
  signals.emplace(loop_, std::initializer_list<int>{SIGUSR1}, [&](int) {
    signals.reset();
    ++seen;
  });
  kill(getpid(), SIGUSR1);
  ASSERT_TRUE(run_until([&] { return seen == 1; }));
  kill(getpid(), SIGUSR1);  // still blocked
  run_for(20ms);
  EXPECT_EQ(seen, 1);
  sigset_t left;
  sigemptyset(&left);
  sigaddset(&left, SIGUSR1);
  int taken = 0;
  EXPECT_EQ(sigwait(&left, &taken), 0);
}

}  // namespace
}  // namespace anubis::daemon

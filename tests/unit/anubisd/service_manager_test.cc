#include "anubisd/service_manager.h"

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "tests/unit/anubisd/loop_fixture.h"

namespace anubis::daemon {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// Plays systemd, with a socket in the abstract namespace, which needs no folder.
class ServiceManagerTest : public LoopTest {
 protected:
  ServiceManagerTest() {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::copy(name_.begin() + 1, name_.end(), address.sun_path + 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  }

  std::vector<std::string> heard() {
    std::vector<std::string> all;
    std::array<char, 256> text{};
    while (true) {
      const ssize_t size = recv(listener_.get(), text.data(), text.size(), MSG_DONTWAIT);
      if (size < 0) return all;
      all.emplace_back(text.data(), static_cast<std::size_t>(size));
    }
  }

  std::string name_ = "@anubis-notify-" + std::to_string(getpid());
  base::Fd listener_{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

TEST_F(ServiceManagerTest, HearsOfTheStartAndTheEnd) {
  ServiceManager manager(loop_, {.notify_socket = name_});
  EXPECT_THAT(heard(), IsEmpty());
  manager.ready();
  EXPECT_THAT(heard(), ElementsAre("READY=1"));
  manager.stopping();
  EXPECT_THAT(heard(), ElementsAre("STOPPING=1"));
}

TEST_F(ServiceManagerTest, TheWatchdogIsFedWhileTheLoopTurns) {
  ServiceManager manager(loop_, {.notify_socket = name_, .watchdog_interval = 40ms});
  run_for(50ms);
  EXPECT_THAT(heard(), IsEmpty());  // not before it is ready
  manager.ready();
  EXPECT_THAT(heard(), ElementsAre("READY=1", "WATCHDOG=1"));
  std::vector<std::string> all;
  ASSERT_TRUE(run_until([&] {
    const auto more = heard();
    all.insert(all.end(), more.begin(), more.end());
    return all.size() >= 3;
  }));
  EXPECT_THAT(all, testing::Each("WATCHDOG=1"));
}

TEST_F(ServiceManagerTest, NobodyIsTold) {
  ServiceManager without(loop_, {});
  without.ready();
  ServiceManager gone(loop_, {.notify_socket = "/nonexistent/notify"});
  gone.ready();
  ServiceManager too_long(loop_, {.notify_socket = std::string(200, 'x')});
  too_long.ready();
  EXPECT_THAT(heard(), IsEmpty());
}

TEST(ServiceManagerEnvironment, TheWatchdogMayBeMeantForAnother) {
  setenv("WATCHDOG_USEC", "120000000", 1);
  EXPECT_EQ(ServiceManager::environment().watchdog_interval, 120s);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  EXPECT_EQ(ServiceManager::environment().watchdog_interval, 120s);
  setenv("WATCHDOG_PID", std::to_string(getppid()).c_str(), 1);
  EXPECT_EQ(ServiceManager::environment().watchdog_interval, 0s);
  unsetenv("WATCHDOG_PID");
  for (const char* wrong : {"", "-5", "0", "7x"}) {
    setenv("WATCHDOG_USEC", wrong, 1);
    EXPECT_EQ(ServiceManager::environment().watchdog_interval, 0s) << wrong;
  }
  unsetenv("WATCHDOG_USEC");
}

}  // namespace
}  // namespace anubis::daemon

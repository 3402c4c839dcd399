#include "lib/base/fd.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>

namespace anubis::base {
namespace {

bool is_open(int fd) { return fcntl(fd, F_GETFD) != -1 || errno != EBADF; }

int open_something() {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_GE(fd, 0);
  return fd;
}

TEST(Fd, ClosesWhatItHoldsWhenItGoes) {
  const int number = open_something();
  {
    const Fd fd(number);
    EXPECT_TRUE(fd);
    EXPECT_EQ(fd.get(), number);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, HoldsNothingUnlessGivenSomething) { EXPECT_FALSE(Fd()); }

TEST(Fd, MovingGivesTheDescriptorAwayAndClosesTheOldOne) {
  const int number = open_something();
  const int replaced = open_something();
  Fd from(number);
  Fd to(replaced);
  to = std::move(from);
  EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): this is what is tested
  EXPECT_EQ(to.get(), number);
  EXPECT_TRUE(is_open(number));
  EXPECT_FALSE(is_open(replaced));
}

TEST(Fd, ReleaseLeavesTheDescriptorOpen) {
  const int number = open_something();
  Fd fd(number);
  EXPECT_EQ(fd.release(), number);
  EXPECT_FALSE(fd);
  EXPECT_TRUE(is_open(number));
  close(number);
}

}  // namespace
}  // namespace anubis::base

#include "anubisd/instance_lock.h"

#include <cerrno>
#include <chrono>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace anubis::daemon {

base::Result<base::Fd> lock_state_directory(const std::filesystem::path& directory) {
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return base::fail_errno(errno, fmt::format("cannot make the state directory {}", directory.native()));
  }
  const auto file = directory / "anubisd.lock";
  base::Fd fd(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return base::fail_errno(errno, file.native());
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) return base::fail_errno(errno, file.native());
  return base::fail(base::ErrorCode::kExists,
                    fmt::format("another anubisd uses {}; stop it first, or name another directory with --state-dir",
                                directory.native()));
}

base::Result<base::Fd> await_state_directory(const std::filesystem::path& directory) {
  constexpr std::chrono::milliseconds kPause{20};
  constexpr int kTries = 150;
  auto lock = lock_state_directory(directory);
  for (int i = 1; i < kTries && !lock && lock.error().code == base::ErrorCode::kExists; ++i) {
    std::this_thread::sleep_for(kPause);
    lock = lock_state_directory(directory);
  }
  return lock;
}

}  // namespace anubis::daemon

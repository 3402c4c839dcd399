#include "anubisd/netd/spawn.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/spawn_settings.h"

namespace anubis::netd {
namespace {

// Copies stand here, out of the way of the places that they are to have in the child.
constexpr int kOutOfTheWay = 64;
constexpr int kEndMilliseconds = 2000;

// 0 or an errno.
int inherit(base::SpawnSettings& settings, std::span<const base::Fd> descriptors) {
  int next = kInheritedChannel;
  for (const base::Fd& each : descriptors) {
    if (const int error = posix_spawn_file_actions_adddup2(settings.actions(), each.get(), next++); error != 0)
      return error;
  }
  return posix_spawn_file_actions_addclosefrom_np(settings.actions(), next);
}

}  // namespace

Child::~Child() {
  if (!pidfd_) return;
  pollfd ended{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  while (poll(&ended, 1, kEndMilliseconds) < 0 && errno == EINTR) {
  }
  (void)waitpid(pid_, nullptr, WNOHANG);
}

base::Result<std::pair<Child, Channel>> spawn(const std::filesystem::path& program, std::vector<std::string> arguments,
                                              std::span<const int> kept) {
  auto ends = Channel::create_pair();
  if (!ends) return base::fail(ends.error());
  auto& [ours, theirs] = *ends;
  std::vector<base::Fd> inherited;
  inherited.emplace_back(fcntl(theirs.fd(), F_DUPFD_CLOEXEC, kOutOfTheWay));
  for (const int fd : kept) inherited.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, kOutOfTheWay));
  for (const base::Fd& each : inherited) {
    if (!each) return base::fail_errno(errno, "cannot copy a descriptor");
  }
  base::SpawnSettings settings;
  for (const int error : {inherit(settings, inherited), settings.detach()}) {
    if (error != 0) return base::fail_errno(error, "cannot prepare a process");
  }
  std::string path = program.string();
  std::vector<char*> pointers{path.data()};
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, path.c_str(), settings.actions(), settings.attributes(), pointers.data(), environ);
  if (error != 0) return base::fail_errno(error, fmt::format("cannot start {}", path));
  // glibc 2.36 has a wrapper, older ones do not.
  base::Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  return std::pair(Child(pid, std::move(pidfd)), std::move(ours));
}

}  // namespace anubis::netd

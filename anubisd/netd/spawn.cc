#include "anubisd/netd/spawn.h"

#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace anubis::netd {
namespace {

// Copies stand here, out of the way of the places that they are to have in the child.
constexpr int kOutOfTheWay = 64;
constexpr int kEndMilliseconds = 2000;

class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  // 0 or an errno.
  int prepare(std::span<const base::Fd> descriptors) {
    int next = kInheritedChannel;
    for (const base::Fd& each : descriptors) {
      if (const int error = posix_spawn_file_actions_adddup2(&actions_, each.get(), next++); error != 0) return error;
    }
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    for (const int error :
         {posix_spawn_file_actions_addclosefrom_np(&actions_, next), posix_spawnattr_setsigmask(&attributes_, &none),
          posix_spawnattr_setsigdefault(&attributes_, &all),
          posix_spawnattr_setflags(&attributes_,
                                   POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)}) {
      if (error != 0) return error;
    }
    return 0;
  }

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

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
  SpawnSettings settings;
  if (const int error = settings.prepare(inherited); error != 0)
    return base::fail_errno(error, "cannot prepare a process");
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

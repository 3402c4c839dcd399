#include "lib/wireguard/userspace_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <net/if.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/wireguard/interface_name.h"

namespace anubis::wireguard {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::chrono::seconds kStartTimeout{5};
constexpr int kMaxPauseMilliseconds = 20;
constexpr int kTerminateTimeoutMilliseconds = 5000;
constexpr off_t kMaxWords = 4096;

base::Fd open_pidfd(pid_t pid) {
  // glibc 2.36 has a wrapper, older ones do not.
  return base::Fd(pid > 0 ? static_cast<int>(syscall(SYS_pidfd_open, pid, 0)) : -1);
}

// Memory for the first words on standard error. A pipe would kill the process once we are gone, a file would grow
// for ever; this refuses what goes beyond its size, and the program does not mind.
base::Fd open_words() {
  base::Fd words(memfd_create("anubis-userspace-stderr", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (words && (ftruncate(words.get(), kMaxWords) < 0 ||
                fcntl(words.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)) {
    words.reset();
  }
  return words;
}

// Whether the process lives in our network namespace; none when that cannot be told.
std::optional<bool> shares_our_network(pid_t pid) {
  struct stat ours{};
  struct stat theirs{};
  if (stat("/proc/thread-self/ns/net", &ours) < 0 || stat(fmt::format("/proc/{}/ns/net", pid).c_str(), &theirs) < 0) {
    return std::nullopt;
  }
  return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("was ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  return fmt::format("ended with status {}", WEXITSTATUS(status));
}

// What a new process gets beside its environment: no descriptor but the three, a session of its own, no signal mask.
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
  int prepare(int standard_error) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    for (const int error :
         {posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0),
          posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0),
          standard_error >= 0 ? posix_spawn_file_actions_adddup2(&actions_, standard_error, STDERR_FILENO)
                              : posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0),
          posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1),
          posix_spawn_file_actions_addchdir_np(&actions_, "/"), posix_spawnattr_setsigmask(&attributes_, &none),
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

std::string userspace_implementation() {
  const char* const named = std::getenv("WG_QUICK_USERSPACE_IMPLEMENTATION");
  return named != nullptr && *named != '\0' ? named : "wireguard-go";
}

base::Result<UserspaceProcess> UserspaceProcess::adopt_or_start(std::string interface, const std::string& program,
                                                                std::string_view directory) {
  if (auto status = check_interface_name(interface); !status) return fail(status.error());
  const auto path = uapi_socket_path(directory, interface);
  auto adopted = adopt(interface, path);
  if (!adopted) return fail(adopted.error());
  if (*adopted) return std::move(**adopted);
  if (if_nametoindex(interface.c_str()) != 0) {
    return fail(
        ErrorCode::kExists,
        fmt::format("there is an interface {} already, and no userspace WireGuard serves it: remove it (ip link "
                    "del {}) or choose another name",
                    interface, interface));
  }
  auto started = start(interface, program);
  if (!started) return started;
  if (auto status = started->wait_until_ready(interface, path); !status) return fail(status.error().within(program));
  return started;
}

base::Result<std::optional<UserspaceProcess>> UserspaceProcess::adopt(const std::string& interface,
                                                                      const std::string& path) {
  const auto socket = connect_uapi(path);
  if (!socket) {
    // A socket file that nobody listens on is replaced by the program that starts.
    if (socket.error() == ENOENT || socket.error() == ECONNREFUSED) return std::optional<UserspaceProcess>{};
    return base::fail_errno(socket.error(), fmt::format("cannot connect to {}", path));
  }
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket->get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
    return base::fail_errno(errno, fmt::format("cannot tell who serves {}", path));
  }
  // The socket is found by its path, which all network namespaces share; the interface is not.
  if (if_nametoindex(interface.c_str()) == 0 || !shares_our_network(credentials.pid).value_or(true)) {
    return fail(
        ErrorCode::kConflict,
        fmt::format("{} is served by process {} for an interface {} in another network namespace: choose another "
                    "interface name, or give this namespace a {} of its own (a private mount)",
                    path, credentials.pid, interface, path.substr(0, path.rfind('/'))));
  }
  return std::optional(UserspaceProcess(credentials.pid, open_pidfd(credentials.pid), base::Fd(), true));
}

base::Result<UserspaceProcess> UserspaceProcess::start(const std::string& interface, const std::string& program) {
  auto words = open_words();
  SpawnSettings settings;
  if (const int error = settings.prepare(words.get()); error != 0)
    return base::fail_errno(error, "cannot prepare a process");
  std::vector<std::string> arguments{program, "-f", interface};
  // Nothing of our own environment but where programs are: it could hold secrets. The last one spares us
  // wireguard-go's advice to use the kernel's WireGuard.
  const char* const search = std::getenv("PATH");
  std::vector<std::string> environment{
      std::string("PATH=") + (search != nullptr ? search : "/usr/sbin:/usr/bin:/sbin:/bin"), "LOG_LEVEL=error",
      "WG_PROCESS_FOREGROUND=1"};
  const auto pointers = [](std::vector<std::string>& strings) {
    std::vector<char*> result;
    result.reserve(strings.size() + 1);
    for (auto& string : strings) result.push_back(string.data());
    result.push_back(nullptr);
    return result;
  };
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, program.c_str(), settings.actions(), settings.attributes(),
                                 pointers(arguments).data(), pointers(environment).data());
  if (error == ENOENT) {
    return fail(
        ErrorCode::kNotFound,
        fmt::format("this kernel has no WireGuard, and the program {} is not installed: install wireguard-go (or "
                    "the kernel's module)",
                    program));
  }
  if (error != 0) return base::fail_errno(error, fmt::format("cannot start {}", program));
  return UserspaceProcess(pid, open_pidfd(pid), std::move(words), false);
}

base::Status UserspaceProcess::wait_until_ready(const std::string& interface, const std::string& path) {
  const auto deadline = base::BootClock::now() + kStartTimeout;
  int pause = 1;
  while (true) {
    if (connect_uapi(path) && if_nametoindex(interface.c_str()) != 0) return {};
    if (base::BootClock::now() >= deadline) break;
    if (has_ended(pause)) return fail(ErrorCode::kIo, take_end().value_or("ended"));
    pause = std::min(2 * pause, kMaxPauseMilliseconds);
  }
  auto error = base::Error{ErrorCode::kTimeout,
                           fmt::format("it did not open {} within {} s{}", path, kStartTimeout.count(), words())};
  if (auto status = terminate(); !status) error.message += "; " + status.error().message;
  return fail(std::move(error));
}

bool UserspaceProcess::has_ended(int timeout_milliseconds) const {
  pollfd poll_for{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  return poll(&poll_for, 1, timeout_milliseconds) > 0;
}

std::optional<std::string> UserspaceProcess::take_end() {
  if (!pidfd_ || !has_ended(0)) return std::nullopt;
  pidfd_.reset();
  int status = 0;
  const bool is_ours = !adopted_ && waitpid(pid_, &status, WNOHANG) == pid_;
  return is_ours ? how_it_ended(status) + words() : "ended";
}

base::Status UserspaceProcess::terminate() {
  if (!pidfd_) return fail(ErrorCode::kNotFound, "the process is not known or has ended");
  for (const int signal : {SIGTERM, SIGKILL}) {
    if (syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0) < 0 && errno != ESRCH) {
      return base::fail_errno(errno, fmt::format("cannot end process {}", pid_));
    }
    if (has_ended(kTerminateTimeoutMilliseconds)) {
      take_end();
      return {};
    }
  }
  return fail(ErrorCode::kTimeout, fmt::format("process {} does not end", pid_));
}

std::string UserspaceProcess::words() const {
  std::array<char, kMaxWords> text;
  const auto size = words_ ? pread(words_.get(), text.data(), text.size(), 0) : 0;
  std::string_view said(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  said = said.substr(0, said.find('\0'));
  while (said.ends_with('\n')) said.remove_suffix(1);
  return said.empty() ? "" : fmt::format(", saying \"{}\"", base::log::escaped(said, 512));
}

}  // namespace anubis::wireguard

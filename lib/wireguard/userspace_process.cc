#include "lib/wireguard/userspace_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include <fmt/core.h>
#include <net/if.h>
#include <poll.h>
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
constexpr std::size_t kMaxWords = 4096;

base::Fd open_pidfd(pid_t pid) {
  // glibc 2.36 has a wrapper, older ones do not.
  return base::Fd(pid > 0 ? static_cast<int>(syscall(SYS_pidfd_open, pid, 0)) : -1);
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

}  // namespace

base::Result<UserspaceProcess> UserspaceProcess::adopt_or_start(const std::string& interface,
                                                                UserspaceLauncher& launcher,
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
  auto launched = launcher.launch(interface);
  if (!launched) return fail(launched.error());
  UserspaceProcess started(launched->pid, std::move(launched->pidfd), std::move(launched->words), &launcher);
  if (auto status = started.wait_until_ready(interface, path); !status)
    return fail(status.error().within(launcher.program()));
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
  return std::optional(UserspaceProcess(credentials.pid, open_pidfd(credentials.pid), base::Fd(), nullptr));
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
  const auto status = launcher_ != nullptr ? launcher_->take_status(pid_) : std::nullopt;
  return status ? how_it_ended(*status) + words() : "ended" + words();
}

base::Status UserspaceProcess::keep() { return launcher_ != nullptr ? launcher_->keep(pid_) : base::Status(); }

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

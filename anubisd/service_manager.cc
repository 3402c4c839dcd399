#include "anubisd/service_manager.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace anubis::daemon {
namespace {

// Before there are threads.
std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value != nullptr ? value : "";
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

base::Duration watchdog_interval() {
  const auto microseconds = number(variable("WATCHDOG_USEC"));
  if (!microseconds || *microseconds <= 0) return base::Duration{0};
  const auto meant = number(variable("WATCHDOG_PID"));  // a process may have inherited what was for its parent
  if (meant && *meant != getpid()) return base::Duration{0};
  return std::chrono::microseconds(*microseconds);
}

}  // namespace

ServiceManager::Environment ServiceManager::environment() {
  return {.notify_socket = std::string(variable("NOTIFY_SOCKET")), .watchdog_interval = watchdog_interval()};
}

ServiceManager::ServiceManager(Loop& loop, Environment environment)
    : environment_(std::move(environment)), timer_(loop) {
  if (!environment_.notify_socket.empty()) socket_ = base::Fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

void ServiceManager::ready() {
  tell("READY=1");
  if (environment_.watchdog_interval > base::Duration{0}) feed();
}

void ServiceManager::stopping() { tell("STOPPING=1"); }

void ServiceManager::feed() {
  tell("WATCHDOG=1");
  timer_.after(environment_.watchdog_interval / 2, [this] { feed(); });
}

void ServiceManager::tell(std::string_view state) const {
  const std::string& path = environment_.notify_socket;
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (!socket_ || path.size() >= sizeof address.sun_path) return;
  std::ranges::copy(path, std::begin(address.sun_path));
  if (path.front() == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  // systemd takes its time at worst; that it hears nothing is its own affair.
  (void)sendto(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
               size);
}

}  // namespace anubis::daemon

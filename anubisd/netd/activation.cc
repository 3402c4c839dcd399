#include "anubisd/netd/activation.h"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "anubisd/netd/spawn.h"
#include "lib/base/log.h"

namespace anubis::netd {
namespace {

using base::ErrorCode;
using base::fail;

constexpr int kFirstOfSystemd = 3;  // SD_LISTEN_FDS_START
constexpr int kAcceptMilliseconds = 2000;

std::optional<int> number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  int number = 0;
  const std::string_view digits = text;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
  if (error != std::errc() || end != digits.end()) return std::nullopt;
  return number;
}

bool may_connect(int socket, const std::string& user) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  if (peer.uid == 0) return true;
  const passwd* const found = getpwnam(user.c_str());
  return found != nullptr && found->pw_uid == peer.uid;
}

base::Status check_kind(int fd) {
  int kind = 0;
  socklen_t size = sizeof kind;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &size) == 0 && kind == SOCK_SEQPACKET) return {};
  return fail(ErrorCode::kInvalid, "the descriptor that it was started with is no SOCK_SEQPACKET socket");
}

}  // namespace

base::Result<Channel> take_inherited_channel() {
  if (auto status = check_kind(kInheritedChannel); !status) return fail(status.error());
  (void)fcntl(kInheritedChannel, F_SETFD, FD_CLOEXEC);
  return Channel(base::Fd(kInheritedChannel));
}

base::Result<Channel> accept_channel(const std::string& user) {
  if (number_in("LISTEN_PID") != getpid() || number_in("LISTEN_FDS") != 1) {
    return fail(ErrorCode::kNotFound, "it is started by anubisd, or by systemd for a socket");
  }
  if (auto status = check_kind(kFirstOfSystemd); !status) return fail(status.error());
  const base::Fd listener(kFirstOfSystemd);
  (void)fcntl(listener.get(), F_SETFD, FD_CLOEXEC);
  pollfd waiting{.fd = listener.get(), .events = POLLIN, .revents = 0};
  while (poll(&waiting, 1, kAcceptMilliseconds) > 0) {
    base::Fd connection(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) return base::fail_errno(errno, "cannot take anubisd in");
    if (may_connect(connection.get(), user)) return Channel(std::move(connection));
    base::log::warning("netd.not-permitted", "a process that is neither root's nor {}'s wanted to connect", user);
  }
  return fail(ErrorCode::kTimeout, "nobody connects");
}

}  // namespace anubis::netd

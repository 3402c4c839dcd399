#include "lib/wireguard/uapi_connection.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/base/clock.h"

namespace anubis::wireguard {
namespace {

constexpr std::size_t kBufferSize = 64 * 1024;
// Without a sign of life. A dump of 65,536 peers, which takes a second and more on a busy machine, is all the while
// under way; so the whole has a limit of its own.
constexpr std::chrono::seconds kSilenceTimeout{5};
constexpr std::chrono::seconds kTimeout{30};

// 0 when the socket is ready, else an errno.
int wait_for(int socket, short events, base::Time deadline) {
  deadline = std::min(deadline, base::BootClock::now() + kSilenceTimeout);
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - base::BootClock::now()).count();
    if (left <= 0) return ETIMEDOUT;
    pollfd poll_for{.fd = socket, .events = events, .revents = 0};
    const int ready = poll(&poll_for, 1, static_cast<int>(left));
    if (ready > 0) return 0;
    if (ready < 0 && errno != EINTR) return errno;
  }
}

}  // namespace

std::string uapi_socket_path(std::string_view directory, std::string_view interface) {
  return std::string(directory).append("/").append(interface).append(".sock");
}

tl::expected<base::Fd, int> connect_uapi(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return tl::unexpected(ENAMETOOLONG);
  std::ranges::copy(path, address.sun_path);
  base::Fd socket_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_fd) return tl::unexpected(errno);
  const void* const generic = &address;
  if (connect(socket_fd.get(), static_cast<const sockaddr*>(generic), sizeof address) < 0) {
    return tl::unexpected(errno);
  }
  return socket_fd;
}

tl::expected<void, int> UapiConnection::ask(std::string_view request, UapiReplyParser& parser) {
  if (!buffer_) buffer_ = std::make_unique<char[]>(kBufferSize);
  if (socket_ && is_stale()) socket_.reset();
  const bool kept = static_cast<bool>(socket_);
  for (const bool is_last_try : {!kept, true}) {
    if (!socket_) {
      auto connected = connect_uapi(path_);
      if (!connected) return tl::unexpected(connected.error());
      socket_ = std::move(*connected);
    }
    const auto result = exchange(request, parser);
    switch (result.progress) {
      case Progress::kDone:
        // After an error the implementation may take the rest of the request for the next one.
        if (parser.error() != 0) socket_.reset();
        return {};
      case Progress::kHungUp:
        socket_.reset();
        if (is_last_try) return tl::unexpected(ECONNRESET);
        break;
      case Progress::kFailed:
        socket_.reset();
        return tl::unexpected(result.error);
    }
  }
  return tl::unexpected(ECONNRESET);
}

// kHungUp only when no byte of a reply has come.
UapiConnection::Exchange UapiConnection::exchange(std::string_view request, UapiReplyParser& parser) {
  const auto deadline = base::BootClock::now() + kTimeout;
  while (!request.empty()) {
    const auto size = send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL);
    if (size >= 0) {
      request.remove_prefix(static_cast<std::size_t>(size));
    } else if (errno == EAGAIN) {
      if (const int error = wait_for(socket_.get(), POLLOUT, deadline); error != 0) return {Progress::kFailed, error};
    } else if (errno == EPIPE || errno == ECONNRESET) {
      break;  // an error may have been told before hanging up
    } else if (errno != EINTR) {
      return {Progress::kFailed, errno};
    }
  }
  bool has_begun = false;
  while (true) {
    const auto size = recv(socket_.get(), buffer_.get(), kBufferSize, 0);
    if (size > 0) {
      has_begun = true;
      const auto state = parser.feed({buffer_.get(), static_cast<std::size_t>(size)});
      // A dump tells private and preshared keys.
      explicit_bzero(buffer_.get(), static_cast<std::size_t>(size));
      switch (state) {
        case UapiReplyParser::State::kMore:
          if (base::BootClock::now() >= deadline) return {Progress::kFailed, ETIMEDOUT};
          continue;
        case UapiReplyParser::State::kDone:
          return {};
        case UapiReplyParser::State::kMalformed:
          return {Progress::kFailed, EBADMSG};
      }
    }
    const int error = size == 0 ? ECONNRESET : errno;
    if (error == EAGAIN) {
      if (const int waited = wait_for(socket_.get(), POLLIN, deadline); waited != 0) return {Progress::kFailed, waited};
    } else if (error == ECONNRESET || error == EPIPE) {
      return {has_begun ? Progress::kFailed : Progress::kHungUp, ECONNRESET};
    } else if (error != EINTR) {
      return {Progress::kFailed, error};
    }
  }
}

// Between requests there is nothing to read: whatever there is, is the end or an answer that came too late.
bool UapiConnection::is_stale() const {
  pollfd poll_for{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  return poll(&poll_for, 1, 0) != 0;
}

}  // namespace anubis::wireguard

#include "anubis-cli/connection.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/result.h"

namespace anubis::cli {
namespace {

// A daemon that neither takes the connection nor reads the command for so long is stuck.
constexpr timeval kSendTimeout{.tv_sec = 5, .tv_usec = 0};

int poll_timeout(Patience left) {
  if (!left) return -1;
  return static_cast<int>(std::clamp<std::int64_t>(left->count(), 0, INT_MAX));
}

Failure not_understood(const std::string& socket_path, const std::string& what) {
  return {control::FAILED, "what answers at " + socket_path + " is not understood (" + what +
                               "): it is not anubisd, or of a version that does not fit this one (anubis --version)"};
}

}  // namespace

Outcome<Connection> Connection::open(const std::string& socket_path, const control::Command& command) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.empty() || socket_path.size() >= sizeof address.sun_path) {
    return fail(control::USAGE, "the socket's path must have 1 to " + std::to_string(sizeof address.sun_path - 1) +
                                    " bytes, this one has " + std::to_string(socket_path.size()));
  }
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());

  base::Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail(control::FAILED, base::system_error(errno, "cannot create a socket").message);
  // Bounds connect() too, where the queue of a stuck daemon is full.
  if (setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kSendTimeout, sizeof kSendTimeout) != 0) {
    return fail(control::FAILED, base::system_error(errno, "cannot set up a socket").message);
  }
  int result = 0;
  do {
    result = connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return tl::unexpected(connect_failure(errno, socket_path));

  const std::string bytes = frame(command.SerializeAsString());
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t size = send(fd.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (size >= 0) {
      sent += static_cast<std::size_t>(size);
    } else if (errno == EPIPE) {
      break;  // a daemon that refuses us may have closed already: its answer waits to be read
    } else if (errno != EINTR) {
      return tl::unexpected(connect_failure(errno, socket_path));
    }
  }
  return Connection(std::move(fd), socket_path);
}

Outcome<void> Connection::read_more(Patience left, Patience whole, int interrupt) {
  pollfd waiting[] = {{.fd = fd_.get(), .events = POLLIN, .revents = 0},
                      {.fd = interrupt, .events = POLLIN, .revents = 0}};  // a negative one is passed over
  const int ready = poll(waiting, 2, poll_timeout(left));
  if (ready < 0 && errno != EINTR) return fail(control::FAILED, base::system_error(errno, "poll").message);
  if (ready < 0) return {};
  if (ready == 0) {
    return fail(control::UNREACHABLE, "anubisd has been silent for " + base::format_duration(*whole) +
                                          "; is it stuck? see: journalctl -u anubisd");
  }
  if (waiting[1].revents != 0) return fail(control::FAILED, "interrupted");
  char buffer[16384];
  const ssize_t size = recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (size > 0) {
    frames_.feed({buffer, static_cast<std::size_t>(size)});
    return {};
  }
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return {};
  if (size == 0 && frames_.pending()) {
    return tl::unexpected(not_understood(socket_path_, "its answer breaks off in the middle"));
  }
  return fail(
      control::NOT_RUNNING,
      "anubisd closed the connection before it was done: it has stopped or restarts; see: journalctl -u anubisd");
}

Outcome<control::Response> Connection::receive(Patience patience, int interrupt) {
  const auto deadline = base::BootClock::now() + patience.value_or(std::chrono::milliseconds(0));
  for (;;) {
    if (const auto body = frames_.next()) {
      control::Response response;
      if (!response.ParseFromArray(body->data(), static_cast<int>(body->size()))) {
        return tl::unexpected(
            not_understood(socket_path_, std::to_string(body->size()) + " bytes that are no response"));
      }
      return response;
    }
    if (frames_.oversized()) return tl::unexpected(not_understood(socket_path_, "a frame of more than 16 MiB"));
    Patience left;
    if (patience) left = std::chrono::ceil<std::chrono::milliseconds>(deadline - base::BootClock::now());
    if (const auto more = read_more(left, patience, interrupt); !more) return tl::unexpected(more.error());
  }
}

Outcome<control::Done> exchange(const std::string& socket_path, const control::Command& command, Patience patience,
                                const std::function<void(const control::Response&)>& on_response, int interrupt) {
  auto connection = Connection::open(socket_path, command);
  if (!connection) return tl::unexpected(connection.error());
  for (;;) {
    auto response = connection->receive(patience, interrupt);
    if (!response) return tl::unexpected(response.error());
    if (!response->has_done()) {
      on_response(*response);
      continue;
    }
    if (response->done().status() != control::DONE) return tl::unexpected(failure_of(response->done()));
    return std::move(*response->mutable_done());
  }
}

}  // namespace anubis::cli

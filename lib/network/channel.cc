#include "lib/network/channel.h"

#include <cerrno>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

namespace anubis::network {
namespace {

// The default of 208 KiB holds about 256 notifications or answers; a burst (a link with many routes goes away) is more.
constexpr int kReceiveBuffer = 1 << 20;

struct CloseSocket {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};
using Socket = std::unique_ptr<mnl_socket, CloseSocket>;

class RouteChannel final : public Channel {
 public:
  explicit RouteChannel(Socket socket) : socket_(std::move(socket)) {}

  int send(std::span<const std::uint8_t> bytes) override {
    const ssize_t sent = mnl_socket_sendto(socket_.get(), bytes.data(), bytes.size());
    if (sent < 0) return errno;
    return static_cast<std::size_t>(sent) == bytes.size() ? 0 : EMSGSIZE;
  }

  tl::expected<Received, int> receive(std::span<std::uint8_t> buffer, std::chrono::milliseconds timeout) override {
    // rtnetlink answers before send() returns, so that waiting is the exception.
    auto received = receive_now(buffer);
    if (received || received.error() != EAGAIN) return received;
    pollfd waiting{fd(), POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(timeout.count()));
    if (ready < 0) return tl::make_unexpected(errno);
    if (ready == 0) return tl::make_unexpected(ETIMEDOUT);
    return receive_now(buffer);
  }

  int fd() const override { return mnl_socket_get_fd(socket_.get()); }
  std::uint32_t port() const override { return mnl_socket_get_portid(socket_.get()); }

 private:
  // Not mnl_socket_recvfrom(): MSG_DONTWAIT and the sender are wanted.
  tl::expected<Received, int> receive_now(std::span<std::uint8_t> buffer) const {
    sockaddr_nl sender{};
    iovec part{buffer.data(), buffer.size()};
    msghdr header{};
    header.msg_name = &sender;
    header.msg_namelen = sizeof sender;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    const ssize_t size = recvmsg(fd(), &header, MSG_DONTWAIT);
    if (size < 0) return tl::make_unexpected(errno);
    return Received{static_cast<std::size_t>(size), (header.msg_flags & MSG_TRUNC) != 0, sender.nl_pid};
  }

  Socket socket_;
};

}  // namespace

base::Result<std::unique_ptr<Channel>> open_route_channel(std::span<const int> groups) {
  Socket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
  if (!socket) return base::fail_errno(errno, "cannot open a netlink socket");
  int on = 1;
  // Each of these only makes answers better or cheaper; old kernels lack the last one (4.20).
  mnl_socket_setsockopt(socket.get(), NETLINK_EXT_ACK, &on, sizeof on);
  mnl_socket_setsockopt(socket.get(), NETLINK_CAP_ACK, &on, sizeof on);
  mnl_socket_setsockopt(socket.get(), NETLINK_GET_STRICT_CHK, &on, sizeof on);
  const int fd = mnl_socket_get_fd(socket.get());
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    return base::fail_errno(errno, "cannot bind a netlink socket");
  for (int group : groups) {
    if (mnl_socket_setsockopt(socket.get(), NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
      return base::fail_errno(errno, "cannot subscribe to changes of links and routes");
  }
  return std::unique_ptr<Channel>(std::make_unique<RouteChannel>(std::move(socket)));
}

}  // namespace anubis::network

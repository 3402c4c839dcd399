#include "anubisd/netd/channel.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>

namespace anubis::netd {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kControlSize = CMSG_SPACE(kMaxDescriptors * sizeof(int));

// All of them, whatever else is wrong: what nobody takes stays open for ever.
std::vector<base::Fd> take_descriptors(msghdr& message) {
  std::vector<base::Fd> taken;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      taken.emplace_back(fd);
    }
  }
  return taken;
}

}  // namespace

base::Result<std::pair<Channel, Channel>> Channel::create_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return base::fail_errno(errno, "cannot make a pair of sockets");
  }
  return std::pair(Channel(base::Fd(ends[0])), Channel(base::Fd(ends[1])));
}

base::Status Channel::send(std::span<const std::uint8_t> bytes, std::span<const int> descriptors) {
  // The kernel only reads it.
  iovec vector{.iov_base = const_cast<std::uint8_t*>(bytes.data()), .iov_len = bytes.size()};
  msghdr message{.msg_iov = &vector, .msg_iovlen = 1};
  alignas(cmsghdr) std::array<std::uint8_t, kControlSize> control{};
  if (!descriptors.empty()) {
    if (descriptors.size() > kMaxDescriptors) return fail(ErrorCode::kInvalid, "too many descriptors");
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr& header = *CMSG_FIRSTHDR(&message);
    header.cmsg_level = SOL_SOCKET;
    header.cmsg_type = SCM_RIGHTS;
    header.cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(&header), descriptors.data(), descriptors.size_bytes());
  }
  while (sendmsg(fd_.get(), &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return base::fail_errno(errno, "cannot send");
  }
  return {};
}

base::Result<Channel::Received> Channel::receive(std::span<std::uint8_t> buffer) {
  iovec vector{.iov_base = buffer.data(), .iov_len = buffer.size()};
  alignas(cmsghdr) std::array<std::uint8_t, kControlSize> control{};
  msghdr message{};
  ssize_t size = -1;
  do {
    message = {.msg_iov = &vector,
               .msg_iovlen = 1,
               .msg_control = control.data(),
               .msg_controllen = control.size(),
               .msg_flags = 0};
    size = recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && errno == ECONNRESET) return Received{};
  if (size < 0) return base::fail_errno(errno, "cannot receive");
  Received received{static_cast<std::size_t>(size), take_descriptors(message)};
  if (size == 0 && received.descriptors.empty()) return received;
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || received.size != buffer.size()) {
    return fail(ErrorCode::kInvalid, "a message of the wrong size came");
  }
  return received;
}

}  // namespace anubis::netd

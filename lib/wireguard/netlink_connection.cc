#include "lib/wireguard/netlink_connection.h"

#include <cerrno>
#include <cstring>
#include <optional>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace anubis::wireguard {
namespace {

// The kernel fills at most 32 KiB of a dump into one datagram, and less when the buffer is smaller.
constexpr std::size_t kReceiveBuffer = 64 * 1024;
constexpr int kSocketBuffer = 1024 * 1024;
constexpr time_t kTimeoutSeconds = 5;
constexpr int kMaxSends = 4;
constexpr int kMaxIdleReceives = 64;  // in a row: interrupted by a signal, or nothing for us in it

class MnlPort final : public NetlinkPort {
 public:
  explicit MnlPort(mnl_socket* socket) : socket_(socket) {}
  MnlPort(const MnlPort&) = delete;
  MnlPort& operator=(const MnlPort&) = delete;
  ~MnlPort() override { mnl_socket_close(socket_); }

  int send(std::span<const std::uint8_t> message) override {
    return mnl_socket_sendto(socket_, message.data(), message.size()) < 0 ? errno : 0;
  }
  Received receive(std::span<std::uint8_t> buffer) override {
    // libmnl turns MSG_TRUNC into ENOSPC.
    const auto size = mnl_socket_recvfrom(socket_, buffer.data(), buffer.size());
    if (size < 0) return {0, errno};
    return {static_cast<std::size_t>(size), 0};
  }

 private:
  mnl_socket* socket_;
};

// The messages of one datagram.
class MessageReader {
 public:
  explicit MessageReader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  struct Item {
    nlmsghdr header;
    std::span<const std::uint8_t> payload;
  };
  std::optional<Item> next() {
    if (rest_.empty()) return std::nullopt;
    Item item{};
    if (rest_.size() < sizeof item.header) return fail();
    std::memcpy(&item.header, rest_.data(), sizeof item.header);
    if (item.header.nlmsg_len < sizeof item.header || item.header.nlmsg_len > rest_.size()) return fail();
    item.payload = rest_.subspan(sizeof item.header, item.header.nlmsg_len - sizeof item.header);
    const std::size_t aligned = NLMSG_ALIGN(item.header.nlmsg_len);
    rest_ = aligned < rest_.size() ? rest_.subspan(aligned) : std::span<const std::uint8_t>{};
    return item;
  }
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  std::optional<Item> fail() {
    malformed_ = true;
    return std::nullopt;
  }

  std::span<const std::uint8_t> rest_;
  bool malformed_ = false;
};

// NLMSG_ERROR and NLMSG_DONE begin with zero or a negative errno.
std::optional<int> status_of(std::span<const std::uint8_t> payload) {
  std::int32_t value = 0;
  if (payload.size() < sizeof value) return std::nullopt;
  std::memcpy(&value, payload.data(), sizeof value);
  if (value > 0) return std::nullopt;
  return -value;
}

// None: the answer goes on.
std::optional<Answer> read_message(const MessageReader::Item& item,
                                   const std::function<Reading(std::span<const std::uint8_t>)>& read) {
  const Answer malformed{Ending::kFailed, EBADMSG};
  if ((item.header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) return Answer{Ending::kInterrupted, 0};
  switch (item.header.nlmsg_type) {
    case NLMSG_NOOP:
      return std::nullopt;
    case NLMSG_OVERRUN:
      return Answer{Ending::kLost, ENOBUFS};
    case NLMSG_ERROR:
    case NLMSG_DONE: {
      const auto status = status_of(item.payload);
      if (!status) return malformed;
      return *status == 0 ? Answer{} : Answer{Ending::kRejected, *status};
    }
  }
  if (item.header.nlmsg_type < NLMSG_MIN_TYPE || item.payload.size() < GENL_HDRLEN || !read) return malformed;
  switch (read(item.payload.subspan(GENL_HDRLEN))) {
    case Reading::kOn:
      return std::nullopt;
    case Reading::kStop:
      return Answer{Ending::kStopped, 0};
    case Reading::kMalformed:
      return malformed;
  }
  return malformed;
}

}  // namespace

OpenedPort open_generic_netlink() {
  mnl_socket* const socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
  if (socket == nullptr) return tl::unexpected(errno);
  auto port = std::make_unique<MnlPort>(socket);
  if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) return tl::unexpected(errno);
  // Without CAP_NET_ADMIN the buffers stay as large as the system allows, which does for one answer at a time.
  const int descriptor = mnl_socket_get_fd(socket);
  for (const int option : {SO_RCVBUFFORCE, SO_SNDBUFFORCE}) {
    (void)setsockopt(descriptor, SOL_SOCKET, option, &kSocketBuffer, sizeof kSocketBuffer);
  }
  // The acknowledgement of a failed request would bring its keys back.
  int on = 1;
  if (mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof on) < 0) return tl::unexpected(errno);
  const timeval timeout{.tv_sec = kTimeoutSeconds, .tv_usec = 0};
  if (setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) < 0 ||
      setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0)
    return tl::unexpected(errno);
  return port;
}

Answer NetlinkConnection::ask(Message& request, const std::function<Reading(std::span<const std::uint8_t>)>& read) {
  if (!port_) {
    auto opened = factory_();
    if (!opened) return {Ending::kFailed, opened.error()};
    port_ = std::move(*opened);
    buffer_.resize(kReceiveBuffer);
  }
  request.set_sequence(++sequence_);
  int error = port_->send(request.bytes());
  for (int sends = 1; (error == EINTR || error == EAGAIN || error == ENOBUFS) && sends < kMaxSends; ++sends) {
    error = port_->send(request.bytes());
  }
  const auto answer = error != 0 ? Answer{Ending::kFailed, error} : read_answer(sequence_, read);
  if (answer.ending != Ending::kDone && answer.ending != Ending::kRejected) port_.reset();
  return answer;
}

Answer NetlinkConnection::read_answer(std::uint32_t sequence,
                                      const std::function<Reading(std::span<const std::uint8_t>)>& read) {
  for (int idle = 0; idle < kMaxIdleReceives; ++idle) {
    const auto received = port_->receive(buffer_);
    if (received.error == EINTR) continue;
    if (received.error == ENOBUFS || received.error == ENOSPC) return {Ending::kLost, received.error};
    if (received.error == EAGAIN) return {Ending::kFailed, ETIMEDOUT};
    if (received.error != 0) return {Ending::kFailed, received.error};
    const std::span<std::uint8_t> datagram(buffer_.data(), received.size);
    std::optional<Answer> answer;
    MessageReader reader(datagram);
    while (!answer) {
      const auto item = reader.next();
      if (!item) break;
      if (item->header.nlmsg_seq == sequence) {
        answer = read_message(*item, read);
        idle = 0;
      }
    }
    // A dump tells private and preshared keys.
    explicit_bzero(datagram.data(), datagram.size());
    if (answer) return *answer;
    if (reader.malformed() || received.size == 0) return {Ending::kFailed, EBADMSG};
  }
  return {Ending::kFailed, EINTR};
}

}  // namespace anubis::wireguard

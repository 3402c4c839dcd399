#include "anubisd/side_service.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <sys/socket.h>

#include "anubisd/socket_address.h"
#include "lib/base/log.h"
#include "lib/base/steps.h"

namespace anubis::daemon {
namespace {

constexpr std::size_t kBatch = 64;
// Then everybody else on the loop gets a turn.
constexpr unsigned kBatchesPerWakeUp = 4;

}  // namespace

struct SideService::Incoming {
  static constexpr std::size_t kRoom = wire::kMaxDatagramSize + 1;

  Incoming() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      vectors[i] = {bytes[i].data(), kRoom};
      headers[i].msg_hdr = {.msg_name = &sources[i].generic, .msg_iov = &vectors[i], .msg_iovlen = 1};
    }
  }

  std::array<std::array<std::uint8_t, kRoom>, kBatch> bytes;
  std::array<SocketAddress, kBatch> sources;
  std::array<iovec, kBatch> vectors;
  std::array<mmsghdr, kBatch> headers{};
  std::array<Received, kBatch> received;
};

// Fixed room: a datagram's own memory goes back at once and is used again for the next.
struct SideService::Outgoing {
  Outgoing() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      headers[i].msg_hdr = {.msg_name = &to[i].generic, .msg_iov = &vectors[i], .msg_iovlen = 1};
    }
  }

  std::size_t count = 0;
  std::array<std::array<std::uint8_t, wire::kMaxDatagramSize>, kBatch> bytes;
  std::array<SocketAddress, kBatch> to;
  std::array<iovec, kBatch> vectors;
  std::array<mmsghdr, kBatch> headers{};
};

base::Result<std::unique_ptr<SideService>> SideService::create(Loop& loop, const Settings& settings, Handler& handler) {
  const model::Endpoint own{.address = settings.address, .port = settings.port};
  SocketAddress address = to_socket_address(own);
  base::Fd fd(socket(address.generic.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return base::fail_errno(errno, "cannot make the side service's socket");
  if (!settings.interface.empty() && setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, settings.interface.data(),
                                                static_cast<socklen_t>(settings.interface.size())) != 0) {
    return base::fail_errno(errno, fmt::format("cannot bind the side service to {}", settings.interface));
  }
  if (settings.widen_receive_buffer) {
    // Without it, peers that come back all at once are heard at their second or third try.
    if (const auto status = settings.widen_receive_buffer(fd.get()); !status) {
      base::log::warning("side.small-buffer", "{}", status.error().message);
    }
  }
  if (bind(fd.get(), &address.generic, address.size) != 0) {
    return base::fail_errno(errno, fmt::format("cannot bind the side service to {}", own.to_string()));
  }
  socklen_t size = sizeof address.v6;
  if (getsockname(fd.get(), &address.generic, &size) != 0) return base::fail_errno(errno, "getsockname");
  const auto bound = to_endpoint(address.generic, size);
  std::unique_ptr<SideService> service(new SideService(loop, std::move(fd), bound ? bound->port : 0, handler));
  service->wait();
  return service;
}

SideService::SideService(Loop& loop, base::Fd fd, std::uint16_t port, Handler& handler)
    : fd_(std::move(fd)),
      port_(port),
      handler_(handler),
      incoming_(std::make_unique<Incoming>()),
      outgoing_(std::make_unique<Outgoing>()),
      watch_(loop, fd_.get()) {}

SideService::~SideService() = default;

void SideService::wait() {
  watch_.when_readable([this] { drain(); });
}

void SideService::drain() {
  Incoming& in = *incoming_;
  for (unsigned batch = 0; batch < kBatchesPerWakeUp; ++batch) {
    for (std::size_t i = 0; i < kBatch; ++i) in.headers[i].msg_hdr.msg_namelen = sizeof(sockaddr_in6);
    const int count = recvmmsg(fd_.get(), in.headers.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (count <= 0) break;  // nothing more, or an error that an ICMP message left here and that this call has cleared
    std::size_t usable = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const auto source = to_endpoint(in.sources[i].generic, in.headers[i].msg_hdr.msg_namelen);
      if (source) in.received[usable++] = {{in.bytes[i].data(), in.headers[i].msg_len}, *source};
    }
    counters_.received += static_cast<std::uint64_t>(count);
    handler_.receive(std::span(in.received).first(usable));
    flush();
    if (static_cast<std::size_t>(count) < kBatch) break;
  }
  wait();
}

void SideService::send(const model::Endpoint& to, std::span<const std::uint8_t> bytes) {
  Outgoing& out = *outgoing_;
  if (bytes.size() > wire::kMaxDatagramSize) {
    ++counters_.not_sent;
    return;
  }
  if (out.count == kBatch) flush();
  const std::size_t slot = out.count++;
  std::ranges::copy(bytes, out.bytes[slot].begin());
  out.vectors[slot] = {out.bytes[slot].data(), bytes.size()};
  out.to[slot] = to_socket_address(to);
  out.headers[slot].msg_hdr.msg_namelen = out.to[slot].size;
}

void SideService::flush() {
  Outgoing& out = *outgoing_;
  for (std::size_t next = 0; next < out.count;) {
    const int sent = sendmmsg(fd_.get(), &out.headers[next], static_cast<unsigned>(out.count - next), MSG_DONTWAIT);
    if (sent > 0) {
      counters_.sent += static_cast<std::uint64_t>(sent);
      next += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
      counters_.not_sent += out.count - next;
      break;
    } else if (errno != EINTR) {
      ++counters_.not_sent;  // the first one's own fault
      ++next;
    }
  }
  if (std::exchange(out.count, 0) != 0) base::step("datagrams.sent");
}

}  // namespace anubis::daemon

#include "firewall/netlink.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace anubis::firewall {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;

constexpr std::size_t kBuffer = 64u << 10;
// The kernel answers before send() returns: this is for answers that were lost.
constexpr timeval kPatience{.tv_sec = 2, .tv_usec = 0};
constexpr int kDumps = 5;
// What is drained at a time shares its thread with requests of anubisd.
constexpr int kDatagramsPerDrain = 256;

constexpr const char* kNoNftables =
    "this kernel has no nftables (CONFIG_NF_TABLES, and CONFIG_NF_TABLES_INET): load or enable it, or set enabled = "
    "false "
    "in [firewall] to go without a firewall of ours";

std::uint16_t type_of(std::uint8_t type) { return static_cast<std::uint16_t>((NFNL_SUBSYS_NFTABLES << 8) | type); }

nlmsghdr* put_header(std::uint8_t* at, std::uint16_t type, std::uint16_t flags, std::uint32_t sequence,
                     std::uint8_t family, std::uint16_t resource) {
  nlmsghdr* const message = mnl_nlmsg_put_header(at);
  message->nlmsg_type = type;
  message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  message->nlmsg_seq = sequence;
  auto* const header = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
  header->nfgen_family = family;
  header->version = NFNETLINK_V0;
  header->res_id = htons(resource);
  return message;
}

// Ends of a batch; the resource says whose.
void append_mark(Bytes& batch, std::uint16_t type, std::uint32_t sequence) {
  std::array<std::uint8_t, MNL_NLMSG_HDRLEN + sizeof(nfgenmsg)> bytes{};
  put_header(bytes.data(), type, 0, sequence, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  batch.insert(batch.end(), bytes.begin(), bytes.end());
}

Message message_of(const nlmsghdr* header) {
  const auto* const extra = static_cast<const nfgenmsg*>(mnl_nlmsg_get_payload(header));
  const std::size_t size = mnl_nlmsg_get_payload_len(header);
  if (size < sizeof(nfgenmsg)) return {};
  const auto* const bytes = static_cast<const std::uint8_t*>(mnl_nlmsg_get_payload(header));
  return {.type = static_cast<std::uint8_t>(header->nlmsg_type & 0xff),
          .family = extra->nfgen_family,
          .port = header->nlmsg_pid,
          .attributes = ByteView(bytes, size).subspan(sizeof(nfgenmsg))};
}

// None: it is no NLMSG_ERROR. 0: it is an acknowledgement.
std::optional<int> error_in(const nlmsghdr* header) {
  if (header->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(header) < sizeof(nlmsgerr)) return std::nullopt;
  return -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(header))->error;
}

tl::unexpected<base::Error> failed(int error, std::string_view what) {
  if (error == EAGAIN) return fail(ErrorCode::kTimeout, fmt::format("{}: nftables does not answer", what));
  return base::fail_errno(error, what);
}

}  // namespace

void Netlink::Close::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

int Netlink::fd() const { return mnl_socket_get_fd(socket_.get()); }

std::uint32_t Netlink::port() const { return mnl_socket_get_portid(socket_.get()); }

Result<Netlink> Netlink::open(Events events) {
  std::unique_ptr<mnl_socket, Close> socket(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC));
  if (!socket && (errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT)) return fail(ErrorCode::kUnsupported, kNoNftables);
  if (!socket) return base::fail_errno(errno, "cannot open a netlink socket to nftables");
  int on = 1;
  mnl_socket_setsockopt(socket.get(), NETLINK_CAP_ACK, &on, sizeof on);  // shorter answers; no harm without it
  const int fd = mnl_socket_get_fd(socket.get());
  constexpr int kRoom = 4 << 20;  // for some ten thousand ranges at once
  for (const int direction : {SO_SNDBUFFORCE, SO_RCVBUFFORCE})
    setsockopt(fd, SOL_SOCKET, direction, &kRoom, sizeof kRoom);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience) != 0 ||
      mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
    return base::fail_errno(errno, "cannot set up a netlink socket to nftables");
  }
  Netlink netlink(std::move(socket));
  if (events == Events::kYes) {
    int group = NFNLGRP_NFTABLES;
    if (mnl_socket_setsockopt(netlink.socket_.get(), NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
      return base::fail_errno(errno, "cannot hear of changes to nftables");
    return netlink;
  }
  // netfilter alone has the socket, too.
  const auto status = netlink.dump(NFT_MSG_GETTABLE, AF_UNSPEC, {}, [] {}, [](const Message&) {});
  if (!status && status.error().code == ErrorCode::kUnsupported) return fail(ErrorCode::kUnsupported, kNoNftables);
  if (!status) return fail(status.error());
  return netlink;
}

int Netlink::receive(std::uint32_t sequence, const std::function<int(const void*)>& each, bool& done) {
  Bytes buffer(kBuffer);
  ssize_t size = 0;
  do {
    size = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
  } while (size < 0 && errno == EINTR);
  if (size < 0) return errno;
  int left = static_cast<int>(size);
  for (const auto* header = reinterpret_cast<const nlmsghdr*>(buffer.data()); mnl_nlmsg_ok(header, left);
       header = mnl_nlmsg_next(header, &left)) {
    // An answer to something that was given up.
    if (header->nlmsg_seq < sequence) continue;
    const int error = each(header);
    if (error != 0 || done) return error;
  }
  return 0;
}

Status Netlink::dump(std::uint8_t type, std::uint8_t family, ByteView attributes, const std::function<void()>& begin,
                     const Visit& visit) {
  for (int i = 0; i < kDumps; ++i) {
    begin();
    bool again = false;
    if (auto status = dump_once(type, family, attributes, visit, again); !status) return status;
    if (!again) return {};
  }
  return fail(ErrorCode::kBusy, "nftables' tables change too fast to be read");
}

Status Netlink::dump_once(std::uint8_t type, std::uint8_t family, ByteView attributes, const Visit& visit,
                          bool& again) {
  constexpr const char* kWhat = "cannot read nftables' tables";
  const std::uint32_t sequence = ++sequence_;
  Bytes request(MNL_NLMSG_HDRLEN + sizeof(nfgenmsg));
  put_header(request.data(), type_of(type), NLM_F_DUMP, sequence, family, 0);
  request.insert(request.end(), attributes.begin(), attributes.end());
  reinterpret_cast<nlmsghdr*>(request.data())->nlmsg_len = static_cast<std::uint32_t>(request.size());
  if (mnl_socket_sendto(socket_.get(), request.data(), request.size()) < 0) return failed(errno, kWhat);
  bool done = false;
  while (!done) {
    const int error = receive(
        sequence,
        [&](const void* at) {
          const auto* const header = static_cast<const nlmsghdr*>(at);
          if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0) again = true;
          if (header->nlmsg_type == NLMSG_DONE) {
            done = true;
          } else if (const auto answer = error_in(header)) {
            done = true;
            return *answer;
          } else {
            visit(message_of(header));
          }
          return 0;
        },
        done);
    if (error == EINTR) again = true;
    if (error == EINTR) return {};
    if (error != 0) return failed(error, kWhat);
  }
  return {};
}

Status Netlink::transact(std::span<const Bytes> messages, std::string_view what) {
  if (messages.empty()) return {};
  const std::uint32_t first = ++sequence_;
  Bytes batch;
  append_mark(batch, NFNL_MSG_BATCH_BEGIN, first);
  for (const Bytes& message : messages) {
    const std::size_t at = batch.size();
    batch.insert(batch.end(), message.begin(), message.end());
    const std::uint32_t sequence = ++sequence_;
    std::memcpy(&batch[at + offsetof(nlmsghdr, nlmsg_seq)], &sequence, sizeof sequence);
  }
  append_mark(batch, NFNL_MSG_BATCH_END, ++sequence_);
  if (mnl_socket_sendto(socket_.get(), batch.data(), batch.size()) < 0) return failed(errno, what);
  std::size_t acknowledged = 0;
  bool done = false;
  while (!done) {
    const int error = receive(
        first,
        [&](const void* at) {
          const auto answer = error_in(static_cast<const nlmsghdr*>(at));
          if (!answer) return 0;
          if (*answer == 0) done = ++acknowledged == messages.size();
          return *answer;
        },
        done);
    if (error != 0) return failed(error, what);
  }
  return {};
}

bool Netlink::drain(const Visit& visit) {
  Bytes buffer(kBuffer);
  bool complete = true;
  for (int i = 0; i < kDatagramsPerDrain; ++i) {
    const ssize_t size = recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return complete;
    if (size < 0 || static_cast<std::size_t>(size) > buffer.size()) {
      complete = false;  // ENOBUFS, or cut off
      continue;
    }
    int left = static_cast<int>(size);
    for (const auto* header = reinterpret_cast<const nlmsghdr*>(buffer.data()); mnl_nlmsg_ok(header, left);
         header = mnl_nlmsg_next(header, &left)) {
      if ((header->nlmsg_type >> 8) == NFNL_SUBSYS_NFTABLES) visit(message_of(header));
    }
  }
  return complete;
}

}  // namespace anubis::firewall

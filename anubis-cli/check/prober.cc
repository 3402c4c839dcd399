#include "anubis-cli/check/prober.h"

#include <cerrno>
#include <cstring>

#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

namespace anubis::cli {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;
using model::Family;
using model::IpAddress;

constexpr std::size_t kLargestPacket = 65'536;

socklen_t to_sockaddr(const IpAddress& address, sockaddr_storage& storage) {
  storage = {};
  if (address.family() == Family::kV4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    std::memcpy(&in.sin_addr, address.bytes().data(), address.bytes().size());
    std::memcpy(&storage, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  std::memcpy(&in.sin6_addr, address.bytes().data(), address.bytes().size());
  std::memcpy(&storage, &in, sizeof in);
  return sizeof in;
}

// The address in an ICMP error's extended report, of the probe's own family.
std::optional<IpAddress> offender_of(const sock_extended_err* error, Family family) {
  const auto* const offender = reinterpret_cast<const sockaddr*>(error + 1);  // SO_EE_OFFENDER, which casts const away
  if (family == Family::kV4 && offender->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, offender, sizeof in);
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &in.sin_addr, bytes.size());
    return IpAddress::v4(bytes);
  }
  if (family == Family::kV6 && offender->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, offender, sizeof in);
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return IpAddress::v6(bytes);
  }
  return std::nullopt;
}

bool set(int fd, int level, int name, int value) { return setsockopt(fd, level, name, &value, sizeof value) == 0; }

bool set_up(int fd, Family family) {
  if (family == Family::kV4) {
    return set(fd, IPPROTO_IP, IP_RECVERR, 1) && set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  }
  return set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1) && set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE) &&
         set(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
}

base::Error not_permitted() {
  return {ErrorCode::kPermission,
          "this user may not send probes: run it with sudo, or let groups send them: sysctl -w "
          "net.ipv4.ping_group_range=\"0 2147483647\""};
}

}  // namespace

Prober::Prober(base::Fd fd, bool is_raw, const IpAddress& destination, const Marker& marker)
    : fd_(std::move(fd)),
      is_raw_(is_raw),
      destination_(destination),
      marker_(marker),
      id_(static_cast<std::uint16_t>(marker[0] << 8 | marker[1])) {}

Result<Prober> Prober::create(const IpAddress& destination, const Marker& marker) {
  const bool is_v4 = destination.family() == Family::kV4;
  const int domain = is_v4 ? AF_INET : AF_INET6;
  const int protocol = is_v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
  bool is_raw = false;
  base::Fd fd(socket(domain, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!fd && (errno == EACCES || errno == EPERM || errno == EPROTONOSUPPORT)) {
    is_raw = true;
    fd = base::Fd(socket(domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  }
  if (!fd && (errno == EACCES || errno == EPERM)) return fail(not_permitted());
  if (!fd) return base::fail_errno(errno, "cannot open a socket for probes");
  if (!set_up(fd.get(), destination.family())) return base::fail_errno(errno, "cannot set a socket up for probes");
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr(destination, address);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    base::Error error = base::system_error(errno, "cannot send to " + destination.to_string());
    if (errno == ENETUNREACH || errno == EHOSTUNREACH || errno == EACCES) error.code = ErrorCode::kUnreachable;
    return fail(std::move(error));
  }
  return Prober(std::move(fd), is_raw, destination, marker);
}

Status Prober::set_hop_limit(std::optional<std::uint8_t> hops) {
  constexpr int kDefault = -1;
  const int value = hops ? int{*hops} : kDefault;
  const bool done = destination_.family() == Family::kV4 ? set(fd_.get(), IPPROTO_IP, IP_TTL, value)
                                                         : set(fd_.get(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, value);
  if (!done) return base::fail_errno(errno, "cannot set the hop limit");
  return {};
}

Result<std::uint16_t> Prober::send(std::size_t payload) {
  const std::uint16_t sequence = ++last_sequence_;
  const auto bytes = echo_request(destination_.family(), id_, sequence, payload, marker_);
  // What an ICMP error left behind is told in the place of the sending, once: the second time it is sent.
  constexpr int kTries = 2;
  int error = 0;
  for (int tries = 0; tries < kTries; ++tries) {
    if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) return sequence;
    error = errno;
    if (error == EMSGSIZE && tries + 1 == kTries) {
      return fail(ErrorCode::kInvalid, "larger than the interface takes");
    }
  }
  return base::fail_errno(error, "cannot send to " + destination_.to_string());
}

std::optional<Echo> Prober::own_echo(ByteView bytes) const {
  const auto echo = parse_echo(destination_.family(), bytes);
  // The kernel gives a ping socket's probes an id of its own, and lets no others' in.
  if (!echo || (is_raw_ && echo->id != id_)) return std::nullopt;
  return echo;
}

std::vector<Heard> Prober::hear() {
  std::vector<Heard> heard;
  hear_errors(heard);
  hear_answers(heard);
  return heard;
}

void Prober::hear_answers(std::vector<Heard>& heard) {
  std::vector<std::uint8_t> buffer(kLargestPacket);
  constexpr int kMostAtOnce = 1'000;
  for (int i = 0; i < kMostAtOnce; ++i) {
    const ssize_t size = recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    if (size < 0) continue;  // an ICMP error, which is in the queue of errors, too
    ByteView bytes(buffer.data(), static_cast<std::size_t>(size));
    if (is_raw_ && destination_.family() == Family::kV4) bytes = behind_ipv4_header(bytes);
    const auto echo = own_echo(bytes);
    if (!echo || !echo->is_reply || !holds(bytes, marker_)) continue;
    heard.push_back(
        {.sequence = echo->sequence, .is_answer = true, .from = destination_, .mtu = {}, .at = base::BootClock::now()});
  }
}

void Prober::hear_errors(std::vector<Heard>& heard) {
  for (;;) {
    std::array<std::uint8_t, 512> quoted{};
    alignas(cmsghdr) std::array<std::uint8_t, 512> control{};
    iovec part{quoted.data(), quoted.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = recvmsg(fd_.get(), &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return;
    const auto echo = own_echo({quoted.data(), static_cast<std::size_t>(size)});
    if (!echo) continue;
    for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr; each = CMSG_NXTHDR(&message, each)) {
      const bool is_report = (each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_RECVERR) ||
                             (each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_RECVERR);
      if (!is_report) continue;
      const auto* error = reinterpret_cast<const sock_extended_err*>(CMSG_DATA(each));
      const bool is_told = error->ee_origin != SO_EE_ORIGIN_LOCAL;
      const bool is_v4 = error->ee_origin == SO_EE_ORIGIN_ICMP;
      const bool hops_exceeded = is_v4 ? error->ee_type == ICMP_TIME_EXCEEDED : error->ee_type == ICMP6_TIME_EXCEEDED;
      heard.push_back({.sequence = echo->sequence,
                       .hops_exceeded = is_told && hops_exceeded,
                       .is_refused = is_told && !hops_exceeded && error->ee_errno != EMSGSIZE,
                       .from = offender_of(error, destination_.family()).value_or(IpAddress{}),
                       .mtu = error->ee_errno == EMSGSIZE ? std::optional(error->ee_info) : std::nullopt,
                       .at = base::BootClock::now()});
    }
  }
}

}  // namespace anubis::cli

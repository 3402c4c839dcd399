#include "anubis-cli/check/capture.h"

#include <array>
#include <cerrno>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/socket.h>

namespace anubis::cli {
namespace {

using base::ErrorCode;
using base::fail;

// Enough for the marker behind the headers of several tunnels, in clear, one inside the other.
constexpr std::uint32_t kLookedAt = 1024;
// What comes while a probe is prepared and sent, on a busy interface.
constexpr int kReceiveBuffer = 16 << 20;

// The kernel hands over the beginning of each packet alone.
bool cut_packets(int fd) {
  sock_filter keep_beginning{BPF_RET | BPF_K, 0, 0, kLookedAt};
  const sock_fprog program{1, &keep_beginning};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

void widen_buffer(int fd) {
  // Less does, too: what does not fit is told.
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer) == 0) return;
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
}

bool same_end(const model::Endpoint& a, const model::Endpoint& b) { return a.address == b.address && a.port == b.port; }

}  // namespace

base::Result<Capture> Capture::open(const Marker& marker, const std::optional<model::Endpoint>& peer) {
  base::Fd fd(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
  if (!fd && (errno == EPERM || errno == EACCES)) {
    return fail(ErrorCode::kPermission,
                "watching the wire needs root: run it with sudo, or with --no-capture, which "
                "does all the rest");
  }
  if (!fd) return base::fail_errno(errno, "cannot watch the interfaces");
  widen_buffer(fd.get());
  if (!cut_packets(fd.get())) return base::fail_errno(errno, "cannot watch the beginnings of packets");
  return Capture(std::move(fd), marker, peer);
}

const std::string& Capture::name_of(int ifindex) {
  const auto [found, is_new] = names_.try_emplace(ifindex);
  if (is_new) {
    std::array<char, IF_NAMESIZE> name{};
    const bool is_there = if_indextoname(static_cast<unsigned>(ifindex), name.data()) != nullptr;
    found->second = is_there ? name.data() : "interface " + std::to_string(ifindex);
  }
  return found->second;
}

bool Capture::drain() {
  constexpr int kMostAtOnce = 100'000;
  std::array<std::uint8_t, kLookedAt> packet{};
  for (int i = 0; i < kMostAtOnce; ++i) {
    sockaddr_ll from{};
    socklen_t size_of_from = sizeof from;
    const ssize_t size = recvfrom(fd_.get(), packet.data(), packet.size(), MSG_DONTWAIT,
                                  reinterpret_cast<sockaddr*>(&from), &size_of_from);
    if (size < 0 && errno == EAGAIN) return true;
    if (size < 0) continue;  // an interface went down, say; each is told once
    if (from.sll_hatype == ARPHRD_LOOPBACK) continue;
    const ByteView bytes(packet.data(), static_cast<std::size_t>(size));
    const bool is_sent = from.sll_pkttype == PACKET_OUTGOING;
    const auto count = [&](std::map<std::string, SeenOn>& seen) {
      SeenOn& on = seen[name_of(from.sll_ifindex)];
      ++(is_sent ? on.sent : on.received);
    };
    if (holds(bytes, marker_)) count(captured_.marker);
    if (!peer_) continue;
    const auto ends = udp_ends(bytes);
    if (ends && same_end(is_sent ? ends->destination : ends->source, *peer_)) count(captured_.bearer);
  }
  return false;
}

Captured Capture::finish() {
  const bool is_all = drain();
  tpacket_stats stats{};
  socklen_t size = sizeof stats;
  // Without the number, none can be trusted.
  const bool known = getsockopt(fd_.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0;
  captured_.missed = (known ? stats.tp_drops : 1) + (is_all ? 0 : 1);
  return captured_;
}

}  // namespace anubis::cli

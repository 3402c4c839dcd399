#include "anubisd/control/credentials.h"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>

namespace anubis::daemon {
namespace {

// SO_PEERGROUPS, <asm-generic/socket.h> since Linux 4.13; the C library's headers may be older.
#ifndef SO_PEERGROUPS
constexpr int SO_PEERGROUPS = 59;
#endif

base::Result<std::vector<gid_t>> groups_of(int socket) {
  std::vector<gid_t> groups(32);
  while (true) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    const int result = getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
    if (result != 0 && errno != ERANGE) return base::fail_errno(errno, "SO_PEERGROUPS");
    groups.resize(size / sizeof(gid_t));  // the number that there are, at most 65536, also when they did not fit
    if (result == 0) return groups;
  }
}

}  // namespace

base::Result<Credentials> credentials_of(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return base::fail_errno(errno, "SO_PEERCRED");
  auto groups = groups_of(socket);
  if (!groups) return base::fail(groups.error());
  return Credentials{.uid = peer.uid, .gid = peer.gid, .groups = std::move(*groups)};
}

bool may_command(const Credentials& client, uid_t own, std::optional<gid_t> group) {
  if (client.uid == 0 || client.uid == own) return true;
  if (!group) return false;
  return client.gid == *group || std::ranges::find(client.groups, *group) != client.groups.end();
}

}  // namespace anubis::daemon

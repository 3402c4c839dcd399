// Who is at the other end of the control socket, as the kernel says (SO_PEERCRED, SO_PEERGROUPS): nothing of it comes
// from the client.
#pragma once

#include <optional>
#include <vector>

#include <sys/types.h>

#include "lib/base/result.h"

namespace anubis::daemon {

struct Credentials {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // the supplementary ones
};

// As they were when the client connected.
[[nodiscard]] base::Result<Credentials> credentials_of(int socket);

// Root, ourselves, and the members of the group; none: there is no such group.
[[nodiscard]] bool may_command(const Credentials& client, uid_t own, std::optional<gid_t> group);

}  // namespace anubis::daemon

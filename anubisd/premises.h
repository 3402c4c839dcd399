// What the daemon has to itself: its state directory and its control socket. Taken while the process may still take it,
// kept when it has no capability any more.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

#include "anubisd/control/listener.h"
#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/sandbox/user.h"

namespace anubis::daemon {

struct Premises {
  base::Fd lock;  // of the state directory
  std::filesystem::path state_directory;
  std::filesystem::path socket;
  ControlListener listener;    // bound to it
  std::optional<gid_t> group;  // whose members may command; none: there is no such group
};

// lock: of lock_state_directory(). Warns when there is no such group.
[[nodiscard]] base::Result<Premises> occupy(base::Fd lock, const std::filesystem::path& state_directory,
                                            const std::filesystem::path& socket, const std::string& group);

// Whom root's anubisd is to become: this user, who gets the state directory. None when we are not root, as with a
// service manager, and, with a warning, when there is no such user.
[[nodiscard]] base::Result<std::optional<sandbox::User>> make_room_for(const std::string& user,
                                                                       const Premises& premises);

}  // namespace anubis::daemon

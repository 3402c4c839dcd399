// The one place where each program shuts itself in. What it says on the way is what an operator sees of it.
#pragma once

#include <optional>

#include "lib/base/result.h"
#include "lib/sandbox/user.h"

namespace anubis::sandbox {

// For anubisd, before it reads anything that others wrote: another user (none: it is already who it is to be), no
// capability, no new privileges, no core, not to be traced, its system calls (calls.h). Host names can be resolved
// afterwards.
base::Status enter_anubisd(const std::optional<User>& user);

// For anubis-netd: the same user, with CAP_NET_ADMIN.
base::Status enter_netd();

// For the process that starts a userspace WireGuard: the same without a filter, which what it starts would inherit. No
// more than CAP_NET_ADMIN and no core are what that inherits.
base::Status enter_launcher();

}  // namespace anubis::sandbox

// The one place where each program shuts itself in. What it says on the way is what an operator sees of it.
#pragma once

#include "lib/base/result.h"

namespace anubis::sandbox {

// For anubisd, once it is the user that it is to be, before it reads anything that others wrote: no capability, no new
// privileges, no core, not to be traced, its system calls (calls.h). Host names can be resolved afterwards.
base::Status enter_anubisd();

// For anubis-netd: the same, with CAP_NET_ADMIN.
base::Status enter_netd();

}  // namespace anubis::sandbox

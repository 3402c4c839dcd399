// What the kernel holds against a process that was taken over. Each cannot be taken back, or not without privileges.
#pragma once

#include "lib/base/result.h"

namespace anubis::base {

// No program that is started from here has more privileges than we have, whatever its file says. The seccomp filter
// of a process without CAP_SYS_ADMIN wants it.
Status set_no_new_privileges();

// No core dump, and no other process of the same user may read our memory or trace us. What follows: the files below
// /proc/PID belong to root. A change of user undoes it.
Status set_not_dumpable();

// Neither we nor what we start writes a core file. (A core_pattern that is a pipe is not held by this: that is what
// set_not_dumpable() is for.)
Status forbid_core_dumps();

}  // namespace anubis::base

#include "lib/base/process.h"

#include <cerrno>

#include <sys/prctl.h>
#include <sys/resource.h>

namespace anubis::base {

Status set_no_new_privileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno(errno, "cannot give up new privileges");
  return {};
}

Status set_not_dumpable() {
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_errno(errno, "cannot hide the process' memory");
  return {};
}

Status forbid_core_dumps() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return fail_errno(errno, "cannot forbid core dumps");
  return {};
}

}  // namespace anubis::base

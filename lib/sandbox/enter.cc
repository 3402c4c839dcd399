#include "lib/sandbox/enter.h"

#include <string>

#include <netdb.h>

#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/sandbox/calls.h"
#include "lib/sandbox/capabilities.h"

namespace anubis::sandbox {
namespace {

// Lets libc load the modules of its name service that nsswitch.conf names, since a filter refuses code that comes
// later. A label of more than 63 characters is no host name for any of them: each module is asked, and none asks the
// network.
void load_name_service() {
  const std::string nobody = std::string(64, 'x') + ".invalid";
  addrinfo* found = nullptr;
  if (getaddrinfo(nobody.c_str(), nullptr, nullptr, &found) == 0) freeaddrinfo(found);
}

base::Status give_up_privileges(const std::optional<User>& user, std::initializer_list<Capability> kept) {
  if (auto status = base::set_no_new_privileges(); !status) return status;
  if (auto status = lower_bounding_set(kept); !status) return status;  // while root may
  if (user) {
    if (auto status = become(*user); !status) return status;
  }
  if (auto status = keep_capabilities(kept); !status) return status;
  if (auto status = base::set_not_dumpable(); !status) return status;
  return base::forbid_core_dumps();
}

base::Status filter(const Rules& rules) {
  switch (enforcement()) {
    case Enforcement::kKill:
      break;
    case Enforcement::kLog:
      base::log::warning("sandbox.weakened", "built with ANUBIS_SECCOMP=log: forbidden system calls are only logged");
      break;
    case Enforcement::kOff:
      base::log::warning("sandbox.weakened", "built with ANUBIS_SECCOMP=off: any system call is allowed");
      break;
  }
  return apply(rules);
}

}  // namespace

base::Status enter_anubisd(const std::optional<User>& user) {
  load_name_service();
  if (auto status = give_up_privileges(user, {}); !status) return status;
  return filter(anubisd_calls());
}

base::Status enter_netd() {
  if (auto status = give_up_privileges(std::nullopt, {Capability::kNetAdmin}); !status) return status;
  return filter(netd_calls());
}

base::Status enter_launcher() { return give_up_privileges(std::nullopt, {Capability::kNetAdmin}); }

}  // namespace anubis::sandbox

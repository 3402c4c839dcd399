// Becoming another user, for a process that was started by root without a service manager.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "lib/base/result.h"

namespace anubis::sandbox {

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // all of them
};

// kNotFound when there is none of that name.
[[nodiscard]] base::Result<User> find_user(const std::string& name);

// Real, effective and saved ids, and exactly the user's groups; the way back is tried, and must be closed. All
// capabilities that root had go with its id.
base::Status become(const User& user);

}  // namespace anubis::sandbox

#include "lib/sandbox/user.h"

#include <cerrno>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

namespace anubis::sandbox {

base::Result<User> find_user(const std::string& name) {
  std::vector<char> memory(1024);
  passwd entry{};
  passwd* found = nullptr;
  int error = 0;
  while ((error = getpwnam_r(name.c_str(), &entry, memory.data(), memory.size(), &found)) == ERANGE) {
    memory.resize(2 * memory.size());
  }
  if (error != 0) return base::fail_errno(error, fmt::format("cannot look up the user {}", name));
  if (found == nullptr) {
    return base::fail(base::ErrorCode::kNotFound, fmt::format("there is no user {}; as root: useradd --system "
                                                              "--no-create-home --shell /usr/sbin/nologin {}",
                                                              name, name));
  }
  User user{.uid = entry.pw_uid, .gid = entry.pw_gid, .groups = {}};
  int count = 16;
  do {
    user.groups.resize(static_cast<std::size_t>(count));
  } while (getgrouplist(name.c_str(), user.gid, user.groups.data(), &count) < 0);
  user.groups.resize(static_cast<std::size_t>(count));
  return user;
}

base::Status become(const User& user) {
  if (setgroups(user.groups.size(), user.groups.data()) != 0) return base::fail_errno(errno, "cannot set the groups");
  if (setresgid(user.gid, user.gid, user.gid) != 0) return base::fail_errno(errno, "cannot change the group");
  if (setresuid(user.uid, user.uid, user.uid) != 0) return base::fail_errno(errno, "cannot change the user");
  if (user.uid != 0 && (setuid(0) == 0 || setgid(0) == 0)) {
    return base::fail(base::ErrorCode::kInternal, "became another user, but could become root again");
  }
  return {};
}

}  // namespace anubis::sandbox

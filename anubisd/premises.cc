#include "anubisd/premises.h"

#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"

namespace anubis::daemon {
namespace {

// What an anubisd that stayed root has left there.
constexpr std::array kFiles{"sessions", "sessions.new"};

base::Status give(const Premises& premises, const sandbox::User& user) {
  const std::string name = premises.state_directory.string();
  const auto failed = [&] { return base::fail_errno(errno, fmt::format("cannot give {} to anubisd's user", name)); };
  struct stat status{};
  // Another name for the lock file could be anything.
  if (fstat(premises.lock.get(), &status) != 0) return failed();
  if (status.st_nlink == 1 && fchown(premises.lock.get(), user.uid, user.gid) != 0) return failed();

  const base::Fd directory(open(name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory || fstat(directory.get(), &status) != 0) return failed();
  if (status.st_uid == user.uid) return {};
  if (status.st_uid != 0 || (status.st_mode & 077) != 0) {
    return base::fail(base::ErrorCode::kPermission,
                      fmt::format("{} is not anubisd's alone: run chown root {} and chmod 700 {}, or name another "
                                  "directory with --state-dir",
                                  name, name, name));
  }
  for (const char* file : kFiles) {
    if (fchownat(directory.get(), file, user.uid, user.gid, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT) {
      return failed();
    }
  }
  return fchown(directory.get(), user.uid, user.gid) == 0 ? base::Status() : failed();
}

}  // namespace

base::Result<Premises> occupy(base::Fd lock, const std::filesystem::path& state_directory,
                              const std::filesystem::path& socket, const std::string& group_name) {
  const auto group = find_group(group_name);
  if (!group) {
    base::log::warning("control.no-group",
                       "there is no group {}: only root may command; as root: groupadd --system {}, then restart "
                       "anubisd",
                       group_name, group_name);
  }
  auto listener = ControlListener::bind(socket, group);
  if (!listener) return base::fail(listener.error());
  return Premises{std::move(lock), state_directory, socket, std::move(*listener), group};
}

base::Result<std::optional<sandbox::User>> make_room_for(const std::string& user, const Premises& premises) {
  if (geteuid() != 0) return std::optional<sandbox::User>();
  auto found = sandbox::find_user(user);
  if (!found && found.error().code == base::ErrorCode::kNotFound) {
    base::log::warning("sandbox.still-root", "anubisd goes on as root, without capabilities: {}",
                       found.error().message);
    return std::optional<sandbox::User>();
  }
  if (!found) return base::fail(found.error());
  if (auto status = give(premises, *found); !status) return base::fail(status.error());
  return std::optional(std::move(*found));
}

}  // namespace anubis::daemon

#include "anubisd/control/listener.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace anubis::daemon {
namespace {

// Whoever waits longer than this many others is told that the daemon is busy.
constexpr int kBacklog = 64;

base::Result<sockaddr_un> address_of(const std::filesystem::path& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.native().size() >= sizeof address.sun_path) {
    return base::fail(base::ErrorCode::kInvalid, fmt::format("{} is too long for a socket: at most {} characters",
                                                             path.native(), sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  return address;
}

base::Result<base::Fd> make_socket() {
  base::Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return base::fail_errno(errno, "cannot make the control socket");
  return fd;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

base::Status remove_stale(const std::filesystem::path& path, const sockaddr_un& address) {
  struct stat found{};
  if (lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return base::fail_errno(errno, path.native());
  }
  if (!S_ISSOCK(found.st_mode)) {
    return base::fail(base::ErrorCode::kExists,
                      fmt::format("{} is there and is no socket; remove it, or name another", path.native()));
  }
  const auto probe = make_socket();
  if (!probe) return base::fail(probe.error());
  // EAGAIN: somebody listens, and is busy.
  if (connect(probe->get(), generic(address), sizeof address) == 0 || errno == EAGAIN) {
    return base::fail(base::ErrorCode::kExists,
                      fmt::format("another anubisd answers at {}; stop it first, or name another socket with --socket",
                                  path.native()));
  }
  if (errno != ECONNREFUSED) return base::fail_errno(errno, fmt::format("cannot tell who is at {}", path.native()));
  if (unlink(path.c_str()) != 0) return base::fail_errno(errno, fmt::format("cannot replace {}", path.native()));
  return {};
}

// Nobody but root may connect until it has its group.
int bind_closed(int fd, const sockaddr_un& address) {
  const mode_t before = umask(0177);
  const int result = ::bind(fd, generic(address), sizeof address);
  const int error = errno;
  umask(before);
  errno = error;
  return result;
}

}  // namespace

base::Result<ControlListener> ControlListener::bind(const std::filesystem::path& path, std::optional<gid_t> group) {
  const auto address = address_of(path);
  if (!address) return base::fail(address.error());
  if (mkdir(path.parent_path().c_str(), 0755) != 0 && errno != EEXIST) {
    return base::fail_errno(errno, fmt::format("cannot make {}", path.parent_path().native()));
  }
  if (const auto status = remove_stale(path, *address); !status) return base::fail(status.error());

  auto fd = make_socket();
  if (!fd) return base::fail(fd.error());
  if (bind_closed(fd->get(), *address) != 0) {
    return base::fail_errno(errno, fmt::format("cannot make the control socket {}", path.native()));
  }
  ControlListener listener(std::move(*fd), path);
  struct stat made{};
  if (lstat(path.c_str(), &made) != 0) return base::fail_errno(errno, path.native());
  listener.device_ = made.st_dev;
  listener.inode_ = made.st_ino;
  // The unit lets nothing be given away, and sees to it that it belongs to the group from the start.
  if (group && made.st_gid != *group && lchown(path.c_str(), static_cast<uid_t>(-1), *group) != 0) {
    return base::fail_errno(
        errno, fmt::format("cannot give {} to its group; with systemd, name the group in the unit, too (systemctl edit "
                           "anubisd: Group=)",
                           path.native()));
  }
  if (chmod(path.c_str(), group ? 0660 : 0600) != 0) {
    return base::fail_errno(errno, fmt::format("cannot set the mode of {}", path.native()));
  }
  return listener;
}

ControlListener::~ControlListener() {
  if (!fd_) return;
  struct stat found{};
  if (lstat(path_.c_str(), &found) != 0 || found.st_dev != device_ || found.st_ino != inode_) return;
  (void)unlink(path_.c_str());
}

base::Status ControlListener::listen() {
  if (::listen(fd_.get(), kBacklog) != 0) return base::fail_errno(errno, path_.native());
  return {};
}

std::optional<gid_t> find_group(const std::string& name) {
  std::vector<char> buffer(1024);
  while (true) {
    group entry{};
    group* found = nullptr;
    const int error = getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE && buffer.size() < (std::size_t{1} << 24)) {
      buffer.resize(buffer.size() * 2);
    } else {
      return found == nullptr ? std::nullopt : std::optional(found->gr_gid);
    }
  }
}

}  // namespace anubis::daemon

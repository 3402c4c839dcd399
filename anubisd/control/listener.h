// The control socket's place in the file system.
#pragma once

#include <filesystem>
#include <optional>

#include <sys/types.h>

#include "lib/base/fd.h"
#include "lib/base/result.h"

namespace anubis::daemon {

class ControlListener {
 public:
  // Binds, but does not listen yet: until then clients hear that the daemon is not running. The socket is 0660 and of
  // the group from its first moment on; none: of root's alone. Its folder is made when it is missing. A socket that
  // nobody listens to any more is replaced. kExists: another daemon answers there.
  static base::Result<ControlListener> bind(const std::filesystem::path& path, std::optional<gid_t> group);
  ControlListener(ControlListener&&) noexcept = default;
  ControlListener& operator=(ControlListener&&) noexcept = default;
  // Removes the socket, unless another one has taken its place.
  ~ControlListener();

  base::Status listen();
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  ControlListener(base::Fd fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}

  base::Fd fd_;
  std::filesystem::path path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// The group's number; none: there is no such group.
[[nodiscard]] std::optional<gid_t> find_group(const std::string& name);

}  // namespace anubis::daemon

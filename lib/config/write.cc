#include "lib/config/write.h"

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/random.h"
#include "lib/config/file.h"
#include "lib/config/report.h"

namespace anubis::config {
namespace {

using base::ErrorCode;
using base::fail;
using base::Status;

tl::unexpected<base::Error> fail_to(std::string_view verb, const std::filesystem::path& path, int errno_value) {
  switch (errno_value) {
    case EACCES:
    case EPERM:
      return fail(ErrorCode::kPermission,
                  fmt::format("no permission to {} {}; run this as root (sudo)", verb, path.string()));
    case EROFS:
      return fail(ErrorCode::kPermission,
                  fmt::format("cannot {} {}: it lies where nothing may be written (read-only file system)", verb,
                              path.string()));
    case EEXIST:
      return fail(ErrorCode::kExists, fmt::format("{} exists already and stays as it is", path.string()));
    case ENOENT:
      return fail(ErrorCode::kNotFound,
                  fmt::format("cannot {} {}: there is no such file or folder", verb, path.string()));
    default:
      return base::fail_errno(errno_value, fmt::format("cannot {} {}", verb, path.string()));
  }
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

// What a folder holds is on the disk only when the folder is, too.
Status sync_folder(const std::filesystem::path& folder) {
  const base::Fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_to("open", folder, errno);
  if (fsync(fd.get()) != 0) return fail_to("write", folder, errno);
  return {};
}

// A file that does not have its name yet, and goes if it never gets it.
class Draft {
 public:
  explicit Draft(const std::filesystem::path& file) : file_(file) {}
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() {
    if (!name_.empty()) unlink(name_.c_str());
  }

  // Without a name, if it is possible: then nothing is left even if this process is killed.
  Status open_unnamed() {
    const std::filesystem::path folder = folder_of(file_);
    fd_ = base::Fd(open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, kSecretMode));
    if (fd_) return {};
    if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) return open_hidden();
    return fail_to("create", file_, errno);
  }

  // Under a name that nothing reads.
  Status open_hidden() {
    base::SystemRandom random;
    name_ = folder_of(file_) / fmt::format(".{}.{:016x}", file_.filename().string(), random.number());
    fd_ = base::Fd(open(name_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, kSecretMode));
    if (fd_) return {};
    const int failure = errno;
    name_.clear();
    return fail_to("create", file_, failure);
  }

  Status fill(std::span<const std::uint8_t> contents, mode_t mode) {
    while (!contents.empty()) {
      const ssize_t put = write(fd_.get(), contents.data(), contents.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return fail_to("write", file_, errno);
      contents = contents.subspan(static_cast<std::size_t>(put));
    }
    // Whatever the umask says.
    if (fchmod(fd_.get(), mode) != 0 || fsync(fd_.get()) != 0) return fail_to("write", file_, errno);
    return {};
  }

  // Gives it its name, unless something has that.
  Status link() {
    const int linked = name_.empty() ? linkat(AT_FDCWD, fmt::format("/proc/self/fd/{}", fd_.get()).c_str(), AT_FDCWD,
                                              file_.c_str(), AT_SYMLINK_FOLLOW)
                                     : ::link(name_.c_str(), file_.c_str());
    if (linked != 0) return fail_to("create", file_, errno);
    return sync_folder(folder_of(file_));
  }

  // Puts it in the place of whatever has its name.
  Status rename() {
    if (::rename(name_.c_str(), file_.c_str()) != 0) return fail_to("replace", file_, errno);
    name_.clear();
    return sync_folder(folder_of(file_));
  }

 private:
  const std::filesystem::path& file_;
  std::filesystem::path name_;  // empty: none
  base::Fd fd_;
};

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

bool is_taken(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(file, error);
  return !error && status.type() != std::filesystem::file_type::not_found;
}

Status create_file(const std::filesystem::path& file, std::span<const std::uint8_t> contents, mode_t mode) {
  Draft draft(file);
  if (auto status = draft.open_unnamed(); !status) return status;
  if (auto status = draft.fill(contents, mode); !status) return status;
  return draft.link();
}

Status create_file(const std::filesystem::path& file, std::string_view text, mode_t mode) {
  return create_file(file, bytes_of(text), mode);
}

base::Result<std::string> read_text(const std::filesystem::path& file) {
  Report report;
  return read_file(file, report);
}

Status replace_file(const std::filesystem::path& file, std::string_view text) {
  constexpr mode_t kPermissions = 0777;
  struct stat status{};
  if (lstat(file.c_str(), &status) != 0) return fail_to("replace", file, errno);
  if (S_ISLNK(status.st_mode)) {
    return fail(ErrorCode::kInvalid,
                file.string() + " is a symbolic link: put the file itself there, or change what it leads to by hand");
  }
  Draft draft(file);
  if (auto opened = draft.open_hidden(); !opened) return opened;
  if (auto filled = draft.fill(bytes_of(text), status.st_mode & kPermissions); !filled) return filled;
  return draft.rename();
}

Status remove_file(const std::filesystem::path& file) {
  if (unlink(file.c_str()) != 0) return fail_to("remove", file, errno);
  return sync_folder(folder_of(file));
}

Status make_folder(const std::filesystem::path& folder) {
  constexpr mode_t kFolderMode = 0755;
  struct stat status{};
  if (stat(folder.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return {};
    return fail(ErrorCode::kExists, folder.string() + " is no folder; move it away");
  }
  if (errno != ENOENT) return fail_to("examine", folder, errno);
  const std::filesystem::path above = folder_of(folder);
  if (auto made = make_folder(above); !made) return made;
  if (mkdir(folder.c_str(), kFolderMode) != 0) return fail_to("create", folder, errno);
  if (chmod(folder.c_str(), kFolderMode) != 0) return fail_to("create", folder, errno);
  return sync_folder(above);
}

}  // namespace anubis::config

#include "lib/config/file.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"

namespace anubis::config {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxFileSize = 64u << 20;

// Whoever may write to it decides who the peers are.
void warn_if_open(const struct stat& status, const std::string& name, Report& report) {
  if ((status.st_mode & 022) == 0) return;
  report.warning(
      fmt::format("{} can be changed by group or others (mode {:04o}), who thereby decide which peers there "
                  "are; run: chmod go-w {}",
                  name, status.st_mode & 07777, name));
}

}  // namespace

base::Result<std::string> read_file(const std::filesystem::path& file, Report& report) {
  const std::string name = file.string();
  // O_NONBLOCK: a FIFO must not hold us before it is seen for what it is.
  const base::Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return base::fail_errno(errno, "cannot open the configuration " + name);
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return base::fail_errno(errno, "cannot examine the configuration " + name);
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kInvalid, name + " is not a regular file; the configuration must be one");
  }
  warn_if_open(status, name, report);

  // Grows as it is read: the size that was told may be another by now.
  std::string text;
  while (text.size() <= kMaxFileSize) {
    constexpr std::size_t kChunk = 256u << 10;
    const std::size_t size = text.size();
    text.resize(size + kChunk);
    ssize_t got = -1;
    do {
      got = read(fd.get(), text.data() + size, kChunk);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return base::fail_errno(errno, "cannot read the configuration " + name);
    text.resize(size + static_cast<std::size_t>(got));
    if (got == 0) return text;
  }
  return fail(ErrorCode::kFull, name + " is larger than 64 MiB; spread the peers over files in conf.d");
}

base::Result<std::vector<std::filesystem::path>> list_toml_files(const std::filesystem::path& folder, Report& report) {
  std::vector<std::filesystem::path> files;
  struct stat status{};
  if (stat(folder.c_str(), &status) != 0) {
    if (errno == ENOENT) return files;
    return base::fail_errno(errno, "cannot examine " + folder.string());
  }
  warn_if_open(status, folder.string(), report);
  std::error_code error;
  for (std::filesystem::directory_iterator each(folder, error), end; !error && each != end; each.increment(error)) {
    const auto& path = each->path();
    if (path.extension() == ".toml" && !path.filename().native().starts_with('.')) files.push_back(path);
  }
  if (error) return base::fail_errno(error.value(), "cannot list " + folder.string());
  std::ranges::sort(files);
  return files;
}

}  // namespace anubis::config

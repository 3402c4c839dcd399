#include "lib/config/key_file.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"

namespace anubis::config {
namespace {

using base::ErrorCode;
using base::fail;

// A key has 44 characters; the rest is for white space behind it.
constexpr std::size_t kMaxFileSize = 64;

base::Status check_mode(const struct stat& status, const std::string& name) {
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kPermission,
                fmt::format("{} is not a regular file; keep the key in a file of its own", name));
  }
  if (status.st_uid != 0 && status.st_uid != geteuid()) {
    return fail(ErrorCode::kPermission,
                fmt::format("{} belongs to user {}, who could read and change the key; run: chown {} {}", name,
                            status.st_uid, geteuid(), name));
  }
  if ((status.st_mode & 077) != 0) {
    return fail(ErrorCode::kPermission, fmt::format("{} is open to group or others (mode {:04o}); run: chmod 600 {}",
                                                    name, status.st_mode & 07777, name));
  }
  return {};
}

}  // namespace

base::Result<base::Secret<crypto::kKeySize>> read_secret_file(const std::filesystem::path& file) {
  const std::string name = file.string();
  // O_NONBLOCK: a FIFO must not hold us before it is seen for what it is.
  const base::Fd fd(open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) {
    if (errno == ELOOP) {
      return fail(ErrorCode::kPermission,
                  name + " is a symbolic link, or is reached by a loop of them; name the key's own file");
    }
    return base::fail_errno(errno, "cannot open the key file " + name);
  }
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return base::fail_errno(errno, "cannot examine the key file " + name);
  if (const auto checked = check_mode(status, name); !checked) return fail(checked.error());

  base::Secret<kMaxFileSize + 1> buffer;  // wiped in the end
  std::size_t size = 0;
  while (size < buffer.kSize) {
    const ssize_t got = read(fd.get(), buffer.writable().data() + size, buffer.kSize - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, "cannot read the key file " + name);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  std::string_view text(reinterpret_cast<const char*>(buffer.view().data()), size);
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  if (text.empty()) {
    return fail(ErrorCode::kInvalid, fmt::format("{} is empty; write a key to it, as `wg genkey` prints it", name));
  }
  auto key = size > kMaxFileSize ? crypto::parse_secret("") : crypto::parse_secret(text);
  if (!key) return fail(ErrorCode::kInvalid, name + " " + key.error().message);
  if (std::ranges::all_of(key->view(), [](std::uint8_t byte) { return byte == 0; })) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} holds the key of zeros, which is no secret; write another to it", name));
  }
  return key;
}

}  // namespace anubis::config

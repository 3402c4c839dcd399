#include "anubisd/netd_connection.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "anubisd/netd/log_levels.h"

namespace anubis::daemon {
namespace {

using base::ErrorCode;
using base::fail;

base::Result<std::filesystem::path> program(const Options& options) {
  if (options.netd) return std::filesystem::path(*options.netd);
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return base::fail_errno(error.value(), "cannot tell where this program stands");
  return own.parent_path() / "anubis-netd";
}

base::Result<NetdConnection> connect_to(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof address.sun_path) return fail(ErrorCode::kInvalid, path + " is too long for a socket");
  std::memcpy(address.sun_path, path.data(), path.size());
  base::Fd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!fd) return base::fail_errno(errno, "cannot make a socket");
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return base::fail_errno(errno, fmt::format("cannot connect to anubis-netd at {}", path));
  }
  return NetdConnection{{}, netd::Channel(std::move(fd))};
}

}  // namespace

base::Result<NetdConnection> connect_to_netd(const Options& options, const base::Fd& lock) {
  if (options.netd_socket) return connect_to(*options.netd_socket);
  const auto path = program(options);
  if (!path) return fail(path.error());
  auto started = netd::spawn(
      *path, {"--inherited-channel", "--config", options.config_file, "--log-level", netd::name_of(options.log_level)},
      std::array{lock.get()});
  if (!started) {
    auto error = started.error();
    error.message += "; it belongs beside anubisd: install it there, or name it with --netd";
    return fail(std::move(error));
  }
  return NetdConnection{std::move(started->first), std::move(started->second)};
}

}  // namespace anubis::daemon

#include "anubis-cli/failure.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <vector>

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/result.h"

namespace anubis::cli {
namespace {

const char* general_sentence(control::ExitStatus status) {
  switch (static_cast<int>(status)) {  // an open enumeration: any number can arrive
    case control::NOT_UP:
      return "the peer is not up";
    case control::REFUSED:
      return "the peer refused";
    case control::UNREACHABLE:
      return "the peer did not answer";
    case control::NO_SUCH_PEER:
      return "there is no such peer; see: anubis peers";
    case control::NOT_PERMITTED:
      return "anubisd does not permit it";
    default:
      return "anubisd could not do it and did not say why; see: journalctl -u anubisd";
  }
}

std::string user_name() {
  const passwd* user = getpwuid(geteuid());
  return user != nullptr ? user->pw_name : "$USER";
}

bool is_member(const group& entry, std::string_view user) {
  for (char** member = entry.gr_mem; *member != nullptr; ++member) {
    if (user == *member) return true;
  }
  return false;
}

bool process_has_group(gid_t gid) {
  if (getegid() == gid) return true;
  const int size = getgroups(0, nullptr);
  if (size <= 0) return false;
  std::vector<gid_t> groups(static_cast<std::size_t>(size));
  const int read = getgroups(size, groups.data());
  return read > 0 && std::find(groups.begin(), groups.begin() + read, gid) != groups.begin() + read;
}

// Which group opens the socket: that of the socket, or, when its directory keeps us out already, of the directory.
std::string permission_advice(const std::string& socket_path) {
  struct stat status{};
  if (stat(socket_path.c_str(), &status) != 0) {
    const auto slash = socket_path.rfind('/');
    if (slash == std::string::npos || slash == 0) return "run it as root";
    if (stat(socket_path.substr(0, slash).c_str(), &status) != 0) return "run it as root";
  }
  const group* entry = getgrgid(status.st_gid);
  if (entry == nullptr || status.st_gid == 0) {
    return "run it as root, or set group in the [control] section of anubis.toml";
  }
  const std::string name = entry->gr_name;
  if (process_has_group(status.st_gid)) return "run it as root: its group " + name + " may not write to it either";
  const std::string user = user_name();
  if (is_member(*entry, user)) return user + " is in the group " + name + " since this login began: log in again";
  return "add yourself to the group " + name + ": sudo adduser " + user + " " + name + ", then log in again";
}

}  // namespace

Failure failure_of(const control::Done& done) {
  const bool known = control::ExitStatus_IsValid(done.status()) && done.status() != control::DONE;
  const auto status = known ? done.status() : control::FAILED;
  return {status, done.message().empty() ? general_sentence(status) : done.message()};
}

Failure connect_failure(int errno_value, const std::string& socket_path) {
  constexpr const char* kStart = "start it with: sudo systemctl start anubisd";
  switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
      return {control::NOT_RUNNING, "anubisd is not running (no socket at " + socket_path + "); " + kStart};
    case ECONNREFUSED:
      return {control::NOT_RUNNING, "anubisd is not running (nobody listens at " + socket_path + "); " + kStart};
    case EACCES:
    case EPERM:
      return {control::NOT_PERMITTED,
              "no permission to talk to anubisd at " + socket_path + ": " + permission_advice(socket_path)};
    case EAGAIN:
      return {control::UNREACHABLE,
              "anubisd takes no connections at " + socket_path + "; is it stuck? see: journalctl -u anubisd"};
    default:
      return {control::FAILED, base::system_error(errno_value, "cannot connect to anubisd at " + socket_path).message};
  }
}

}  // namespace anubis::cli

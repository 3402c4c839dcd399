#include "lib/wireguard/userspace_launcher.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/spawn_settings.h"

namespace anubis::wireguard {
namespace {

using base::ErrorCode;
using base::fail;

constexpr off_t kMaxWords = 4096;

// Memory for the first words on standard error. A pipe would kill the process once we are gone, a file would grow
// for ever; this refuses what goes beyond its size, and the program does not mind.
base::Fd open_words() {
  base::Fd words(memfd_create("anubis-userspace-stderr", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (words && (ftruncate(words.get(), kMaxWords) < 0 ||
                fcntl(words.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)) {
    words.reset();
  }
  return words;
}

// What a new process gets beside its environment: no descriptor but the three, nothing of ours in them. 0 or an errno.
int give_standard_descriptors(base::SpawnSettings& settings, int standard_error) {
  posix_spawn_file_actions_t* const actions = settings.actions();
  for (const int error : {posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0),
                          posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0),
                          posix_spawn_file_actions_adddup2(actions, standard_error, STDERR_FILENO),
                          posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1),
                          posix_spawn_file_actions_addchdir_np(actions, "/")}) {
    if (error != 0) return error;
  }
  return 0;
}

}  // namespace

std::string userspace_implementation() {
  const char* const named = std::getenv("WG_QUICK_USERSPACE_IMPLEMENTATION");
  return named != nullptr && *named != '\0' ? named : "wireguard-go";
}

base::Result<Launched> DirectLauncher::launch(const std::string& interface) {
  auto words = open_words();
  if (!words) return base::fail_errno(errno, "cannot make memory for what a process says");
  base::SpawnSettings settings;
  for (const int error : {give_standard_descriptors(settings, words.get()), settings.detach()}) {
    if (error != 0) return base::fail_errno(error, "cannot prepare a process");
  }
  std::vector<std::string> arguments{program_, "-f", interface};
  // Nothing of our own environment but where programs are: it could hold secrets. The last one spares us
  // wireguard-go's advice to use the kernel's WireGuard.
  const char* const search = std::getenv("PATH");
  std::vector<std::string> environment{
      std::string("PATH=") + (search != nullptr ? search : "/usr/sbin:/usr/bin:/sbin:/bin"), "LOG_LEVEL=error",
      "WG_PROCESS_FOREGROUND=1"};
  const auto pointers = [](std::vector<std::string>& strings) {
    std::vector<char*> result;
    result.reserve(strings.size() + 1);
    for (auto& string : strings) result.push_back(string.data());
    result.push_back(nullptr);
    return result;
  };
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, program_.c_str(), settings.actions(), settings.attributes(),
                                 pointers(arguments).data(), pointers(environment).data());
  if (error == ENOENT) {
    return fail(
        ErrorCode::kNotFound,
        fmt::format("this kernel has no WireGuard, and the program {} is not installed: install wireguard-go (or "
                    "the kernel's module)",
                    program_));
  }
  if (error != 0) return base::fail_errno(error, fmt::format("cannot start {}", program_));
  // glibc 2.36 has a wrapper, older ones do not.
  base::Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int reason = errno;
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, nullptr, 0);
    return base::fail_errno(reason, "cannot watch a process");
  }
  return Launched{pid, std::move(pidfd), std::move(words)};
}

std::optional<int> DirectLauncher::take_status(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, WNOHANG) != pid) return std::nullopt;
  return status;
}

}  // namespace anubis::wireguard

// Starts the program of a userspace WireGuard implementation. Behind an interface, because a process that holds keys
// and is shut in must start no programs: another one does it for it.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "lib/base/fd.h"
#include "lib/base/result.h"

namespace anubis::wireguard {

// $WG_QUICK_USERSPACE_IMPLEMENTATION, else "wireguard-go".
[[nodiscard]] std::string userspace_implementation();

struct Launched {
  pid_t pid = 0;
  base::Fd pidfd;
  base::Fd words;  // memory that holds the first page of what it writes on standard error
};

class UserspaceLauncher {
 public:
  virtual ~UserspaceLauncher() = default;

  // The program's name, for messages.
  [[nodiscard]] virtual const std::string& program() const = 0;
  // Starts it for that interface. kNotFound: it is not installed.
  virtual base::Result<Launched> launch(const std::string& interface) = 0;
  // The wait status of a launched process that has ended, once; it leaves no zombie. None: not known.
  virtual std::optional<int> take_status(pid_t pid) = 0;
  // From now on the process may outlive us.
  virtual base::Status keep(pid_t pid) = 0;
};

// As a child of this process.
class DirectLauncher final : public UserspaceLauncher {
 public:
  // A path, or a name to be found in $PATH.
  explicit DirectLauncher(std::string program = userspace_implementation()) : program_(std::move(program)) {}

  [[nodiscard]] const std::string& program() const override { return program_; }
  base::Result<Launched> launch(const std::string& interface) override;
  std::optional<int> take_status(pid_t pid) override;
  base::Status keep(pid_t /*pid*/) override { return {}; }  // it does anyway

 private:
  std::string program_;
};

}  // namespace anubis::wireguard

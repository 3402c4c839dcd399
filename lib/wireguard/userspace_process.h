// The process of a userspace WireGuard implementation that serves one interface: started by us, or found running.
// It outlives us: sessions must survive a restart of the daemon, which then adopts it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/wireguard/uapi_connection.h"
#include "lib/wireguard/userspace_launcher.h"

namespace anubis::wireguard {

class UserspaceProcess {
 public:
  // Adopts the process that serves the interface already, or has one launched and waits for its socket: usually some
  // 10 ms, at most 5 s. Afterwards the link exists and the socket answers. The launcher must outlive the result.
  //  kNotFound: the program is not installed
  //  kConflict: the socket belongs to a living process that serves another network namespace's interface
  //  kExists: the interface exists already, and is not served by a userspace implementation
  //  kIo: the program ended at once (its own words are in the message)
  //  kTimeout: it did not open its socket
  static base::Result<UserspaceProcess> adopt_or_start(const std::string& interface, UserspaceLauncher& launcher,
                                                       std::string_view directory = kUapiDirectory);

  // Becomes readable when the process ends; for the event loop. -1 when the process cannot be watched (it was adopted
  // from another PID namespace, say): then its end shows only as the end of the link.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  [[nodiscard]] pid_t pid() const { return pid_; }  // 0: not known
  [[nodiscard]] bool was_adopted() const { return launcher_ == nullptr; }

  // Once pidfd() is readable: how it ended, for the log, with what the program itself said if we started it. Leaves no
  // zombie. None while it runs.
  std::optional<std::string> take_end();

  // Until this is called, a process that we started ends if its launcher sees us end: somebody who is killed before the
  // link can be told to be his leaves none behind.
  base::Status keep();

  // Ends the process and with it the link. For tests, and for the user who wants the interface gone; closing this
  // object leaves the process alone.
  base::Status terminate();

 private:
  UserspaceProcess(pid_t pid, base::Fd pidfd, base::Fd words, UserspaceLauncher* launcher)
      : pid_(pid), pidfd_(std::move(pidfd)), words_(std::move(words)), launcher_(launcher) {}

  static base::Result<std::optional<UserspaceProcess>> adopt(const std::string& interface, const std::string& path);
  base::Status wait_until_ready(const std::string& interface, const std::string& path);
  [[nodiscard]] bool has_ended(int timeout_milliseconds) const;
  [[nodiscard]] std::string words() const;

  pid_t pid_ = 0;
  base::Fd pidfd_;
  base::Fd words_;                         // what it wrote on standard error
  UserspaceLauncher* launcher_ = nullptr;  // null: adopted
};

}  // namespace anubis::wireguard

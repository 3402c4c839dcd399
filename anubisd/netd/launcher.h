// A process of its own that starts userspace WireGuard for anubis-netd, which then need not be able to start programs:
// what netd's seccomp filter forbids, wireguard-go would be forbidden, too, as filters are inherited.
//
// It is another run of anubis-netd's own program, so nothing that netd has read is in its memory. It can do one thing:
// start the program for one of the two interfaces that were named on its command line, and say how that ended. A
// request is one datagram of a fixed size. It ends when netd does; what it has started goes on if netd said so, for
// then the next netd will know the link. Else it is killed.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "anubisd/netd/channel.h"
#include "anubisd/netd/spawn.h"
#include "lib/wireguard/userspace_launcher.h"

namespace anubis::netd {

using LaunchableInterfaces = std::array<std::string, 2>;

// netd's end.
class RemoteLauncher final : public wireguard::UserspaceLauncher {
 public:
  // Starts the process. program: of anubis-netd.
  static base::Result<std::unique_ptr<RemoteLauncher>> start(const std::filesystem::path& program,
                                                             const LaunchableInterfaces& interfaces);
  // With one that runs.
  RemoteLauncher(std::optional<Child> child, Channel channel, LaunchableInterfaces interfaces);

  [[nodiscard]] const std::string& program() const override { return program_; }
  base::Result<wireguard::Launched> launch(const std::string& interface) override;
  std::optional<int> take_status(pid_t pid) override;
  base::Status keep(pid_t pid) override;

 private:
  std::optional<Child> child_;  // goes last, as it ends when the channel is closed
  Channel channel_;
  LaunchableInterfaces interfaces_;
  std::array<pid_t, 2> pids_{};  // the last that was launched for each
  const std::string program_ = wireguard::userspace_implementation();
};

// The launcher's own main loop, until the other end of the channel goes or says something else than it may.
void serve_launches(Channel& channel, wireguard::UserspaceLauncher& launcher, const LaunchableInterfaces& interfaces);

}  // namespace anubis::netd

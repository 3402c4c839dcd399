// Starts a program of ours as a child, with a channel to it.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "anubisd/netd/channel.h"
#include "lib/base/fd.h"
#include "lib/base/result.h"

namespace anubis::netd {

// Where the child finds its end.
constexpr int kInheritedChannel = 3;

class Child {
 public:
  Child(Child&&) noexcept = default;
  Child& operator=(Child&&) = delete;
  // Waits for its end, which should be near: the channel is closed by now. Does not wait for ever.
  ~Child();

 private:
  friend base::Result<std::pair<Child, Channel>> spawn(const std::filesystem::path&, std::vector<std::string>,
                                                       std::span<const int>);
  Child(pid_t pid, base::Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_;
  base::Fd pidfd_;
};

// It has our environment, standard descriptors and privileges, a session of its own (what a terminal sends us does not
// reach it), no signal mask; and behind its end of the channel those of `kept`, which it need not know of: what a lock
// holds is held as long as both of us live.
[[nodiscard]] base::Result<std::pair<Child, Channel>> spawn(const std::filesystem::path& program,
                                                            std::vector<std::string> arguments,
                                                            std::span<const int> kept = {});

}  // namespace anubis::netd

#include "anubisd/signals.h"

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace anubis::daemon {
namespace {

// Out of descriptors or memory: as with Asio's own objects, an exception that main() tells.
base::Fd block(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    throw std::system_error(error, std::generic_category(), "pthread_sigmask");
  }
  base::Fd fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) throw std::system_error(errno, std::generic_category(), "signalfd");
  return fd;
}

}  // namespace

Signals::Signals(Loop& loop, std::initializer_list<int> signals, std::function<void(int)> callback)
    : fd_(block(signals)), watch_(loop, fd_.get()), callback_(std::move(callback)) {
  wait();
}

void Signals::wait() {
  watch_.when_readable([this] { arrived(); });
}

void Signals::arrived() {
  signalfd_siginfo info{};
  const bool has_come = read(fd_.get(), &info, sizeof info) == sizeof info;
  wait();
  if (!has_come) return;
  const auto callback = callback_;  // it may end us
  callback(static_cast<int>(info.ssi_signo));
}

}  // namespace anubis::daemon

// anubis-netd: holds CAP_NET_ADMIN and the keys, has no Internet socket, and serves one anubisd.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "anubisd/netd/activation.h"
#include "anubisd/netd/authority.h"
#include "anubisd/netd/launcher.h"
#include "anubisd/netd/local_parts.h"
#include "anubisd/netd/options.h"
#include "anubisd/netd/server.h"
#include "lib/base/journal.h"
#include "lib/base/log.h"
#include "lib/crypto/keys.h"
#include "lib/sandbox/capabilities.h"
#include "lib/sandbox/enter.h"

namespace anubis::netd {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;

// To the journal as an entry with fields, and to a person as a sentence.
int fail_with(const std::string& message) {
  if (base::Journal::is_behind(STDERR_FILENO, std::getenv("JOURNAL_STREAM"))) {  // NOLINT(concurrency-mt-unsafe)
    base::log::error("netd.not-started", "{}", message);
  } else {
    std::fprintf(stderr, "anubis-netd: %s\n", message.c_str());
  }
  return kFailed;
}

// Blocked in all threads that are started later, and read from the descriptor instead.
base::Result<base::Fd> block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int each : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&signals, each);
  (void)signal(SIGPIPE, SIG_IGN);  // whoever reads the log may go
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return base::fail_errno(errno, "cannot block signals");
  base::Fd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return base::fail_errno(errno, "cannot listen for signals");
  return fd;
}

// True: end. Whatever is meant for both programs is for anubisd to act upon; we end with it.
bool is_asked_to_end(int signal_fd) {
  signalfd_siginfo info{};
  while (read(signal_fd, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGUSR1) return true;
  }
  return false;
}

// What is wrong goes to anubisd, which tells the user. Without a word of its own where that has the same standard
// error.
int refuse(Channel& channel, const base::Error& error, bool inherited) {
  greet_with_failure(channel, error);
  return inherited ? kFailed : fail_with(error.message);
}

base::Result<std::unique_ptr<Authority>> load(const Options& options) {
  if (!sandbox::has(sandbox::Capability::kNetAdmin)) {
    return base::fail(base::ErrorCode::kPermission,
                      "it changes interfaces and routes: run it as root, or give it CAP_NET_ADMIN (--check-config "
                      "needs neither)");
  }
  return Authority::load(options.config_file);
}

int launch(const Options& options) {
  auto channel = take_inherited_channel();
  if (!channel) return fail_with(channel.error().message);
  if (const auto status = sandbox::enter_launcher(); !status) return fail_with(status.error().message);
  wireguard::DirectLauncher launcher;
  serve_launches(*channel, launcher, {options.launcher[0], options.launcher[1]});
  return kDone;
}

// Null where the configuration wants the kernel's WireGuard and no other.
base::Result<std::unique_ptr<RemoteLauncher>> start_launcher(const config::Config& config) {
  if (config.production.backend == config::Backend::kKernel) return nullptr;
  return RemoteLauncher::start("/proc/self/exe", {config.production.interface, config.side.interface});
}

int serve(const Options& options) {
  auto channel = options.inherited_channel ? take_inherited_channel() : accept_channel(options.user);
  if (!channel) return fail_with(channel.error().message);
  const auto signals = block_signals();
  if (!signals) return refuse(*channel, signals.error(), options.inherited_channel);
  const auto authority = load(options);
  if (!authority) return refuse(*channel, authority.error(), options.inherited_channel);
  const auto launcher = start_launcher((*authority)->config());
  if (!launcher) return refuse(*channel, launcher.error(), options.inherited_channel);
  if (const auto status = sandbox::enter_netd(); !status) {
    return refuse(*channel, status.error(), options.inherited_channel);
  }
  auto parts = make_local_parts((*authority)->config(), (*authority)->directory(), launcher->get());
  if (!parts) return refuse(*channel, parts.error(), options.inherited_channel);

  LocalNetd& netd = *parts->netd;
  auto server = Server::create(std::move(*channel), netd, **authority,
                               [&netd](const model::DirectoryChanges& changes) { return netd.apply_changes(changes); });
  if (!server) return fail_with(server.error().message);
  if (const auto status = server->greet(); !status) return fail_with(status.error().message);
  switch (server->serve(signals->get(), [&] { return is_asked_to_end(signals->get()); })) {
    case ServingEnd::kGone:
    case ServingEnd::kAsked:
      return kDone;
    case ServingEnd::kMalformed:
      break;
  }
  return kFailed;
}

int run(int argc, const char* const* argv) {
  auto parsed = parse_options(argc, argv);
  if (const auto* end = std::get_if<ExitWith>(&parsed)) return end->status;
  const auto& options = std::get<Options>(parsed);
  base::log::set_level(options.log_level);
  base::log::use_journal("anubis-netd");
  if (!options.launcher.empty()) return launch(options);
  crypto::initialise();
  return serve(options);
}

}  // namespace
}  // namespace anubis::netd

int main(int argc, char** argv) {
  try {
    return anubis::netd::run(argc, argv);
  } catch (const std::exception& error) {  // out of memory
    std::fprintf(stderr, "anubis-netd: %s\n", error.what());
    return 1;
  }
}

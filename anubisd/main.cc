// anubisd: reads what the network and the control socket send. What needs a capability or a key it asks of anubis-netd.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <optional>
#include <utility>

#include <signal.h>
#include <unistd.h>

#include "anubisd/daemon.h"
#include "anubisd/instance_lock.h"
#include "anubisd/netd_connection.h"
#include "anubisd/netd_keys.h"
#include "anubisd/options.h"
#include "anubisd/premises.h"
#include "anubisd/service_manager.h"
#include "anubisd/signals.h"
#include "lib/base/journal.h"
#include "lib/base/log.h"
#include "lib/config/config.h"
#include "lib/crypto/keys.h"
#include "lib/sandbox/enter.h"

namespace anubis::daemon {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;

// To the journal as an entry with fields, and to a person as a sentence.
int give_up(const base::Error& error) {
  if (base::Journal::is_behind(STDERR_FILENO, std::getenv("JOURNAL_STREAM"))) {  // NOLINT(concurrency-mt-unsafe)
    base::log::error("daemon.not-started", "{}", error.message);
  } else {
    std::fprintf(stderr, "anubisd: %s\n", error.message.c_str());
  }
  return kFailed;
}

int check_config(const Options& options) {
  crypto::initialise();
  const auto config = config::load(options.config_file);
  if (!config) {
    std::fprintf(stderr, "%s\n", config.error().message.c_str());
    return kFailed;
  }
  for (const std::string& warning : config->warnings) std::fprintf(stderr, "%s\n", warning.c_str());
  std::printf("%s: OK, %zu peer%s\n", options.config_file.c_str(), config->peers.size(),
              config->peers.size() == 1 ? "" : "s");
  return kDone;
}

int serve(const Options& options) {
  auto lock = await_state_directory(options.state_directory);
  if (!lock) return give_up(lock.error());
  // First of all: what is started inherits nothing that we come to know later.
  auto connection = connect_to_netd(options, *lock);
  if (!connection) return give_up(connection.error());
  auto connected = netd::RemoteNetd::connect(std::move(connection->channel));
  if (!connected) return give_up(connected.error());
  netd::RemoteNetd& netd = *connected->netd;
  const netd::PublicConfig& config = connected->snapshot.config;
  auto premises =
      occupy(std::move(*lock), options.state_directory,
             options.socket ? std::filesystem::path(*options.socket) : config.control.socket, config.control.group);
  if (!premises) return give_up(premises.error());
  const auto user = make_room_for(options.user, *premises);
  if (!user) return give_up(user.error());
  if (const auto status = sandbox::enter_anubisd(*user); !status) return give_up(status.error());

  crypto::initialise();
  model::InMemoryDirectory directory;
  directory.replace(std::exchange(connected->snapshot.set.peers, {}));
  base::SystemRandom random;
  NetdKeys keys(netd);
  Loop loop;
  ServiceManager manager(loop, ServiceManager::environment());
  int status = kDone;
  Daemon daemon(
      loop, std::move(*premises),
      {.config = config, .directory = directory, .netd = netd, .peer_source = netd, .keys = keys, .random = random});
  netd.when_gone([&] {
    status = kFailed;
    daemon.abandon();
  });
  // From now on: what comes during the start is heard when it is over.
  const Signals signals(loop, {SIGTERM, SIGINT, SIGUSR1, SIGHUP}, [&](int signal) {
    if (signal == SIGHUP) return daemon.reload();
    manager.stopping();
    if (signal == SIGUSR1) return daemon.hand_over();
    daemon.stop();
  });
  if (const auto started = daemon.start(); !started) return give_up(started.error());
  manager.ready();
  loop.run();
  return status;
}

int run(int argc, const char* const* argv) {
  auto parsed = parse_options(argc, argv);
  if (const auto* end = std::get_if<ExitWith>(&parsed)) return end->status;
  const auto& options = std::get<Options>(parsed);
  base::log::set_level(options.log_level);
  base::log::use_journal("anubisd");
  (void)signal(SIGPIPE, SIG_IGN);  // whoever reads the log may go
  return options.check_config ? check_config(options) : serve(options);
}

}  // namespace
}  // namespace anubis::daemon

int main(int argc, char** argv) {
  try {
    return anubis::daemon::run(argc, argv);
  } catch (const std::exception& error) {  // out of memory or descriptors, as the loop tells it
    std::fprintf(stderr, "anubisd: %s\n", error.what());
    return 1;
  }
}

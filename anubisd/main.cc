#include <cstdio>
#include <exception>
#include <filesystem>
#include <utility>

#include <signal.h>

#include "anubisd/daemon.h"
#include "anubisd/local_parts.h"
#include "anubisd/options.h"
#include "anubisd/privileges.h"
#include "anubisd/signals.h"
#include "lib/base/log.h"
#include "lib/config/config.h"
#include "lib/crypto/keys.h"

namespace anubis::daemon {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;

int fail(const std::string& message) {
  std::fprintf(stderr, "anubisd: %s\n", message.c_str());
  return kFailed;
}

int check_config(const Options& options, const config::Config& config) {
  for (const std::string& warning : config.warnings) std::fprintf(stderr, "%s\n", warning.c_str());
  std::printf("%s: OK, %zu peer%s\n", options.config_file.c_str(), config.peers.size(),
              config.peers.size() == 1 ? "" : "s");
  return kDone;
}

int serve(const Options& options, config::Config config) {
  if (!has_net_admin()) {
    return fail(
        "it changes interfaces and routes: run it as root, or give it CAP_NET_ADMIN (--check-config needs neither)");
  }
  for (const std::string& warning : config.warnings) base::log::warning("config.warning", "{}", warning);
  model::InMemoryDirectory directory;
  directory.replace(std::exchange(config.peers, {}));
  auto parts = make_local_parts(config, directory);
  if (!parts) return fail(parts.error().message);
  base::SystemRandom random;
  Loop loop;
  Daemon daemon(loop,
                {.config_file = options.config_file,
                 .socket = options.socket ? std::filesystem::path(*options.socket) : config.control.socket,
                 .state_directory = options.state_directory},
                config, directory, *parts->netd, random);
  // From now on: what comes during the start is heard when it is over.
  const Signals signals(loop, {SIGTERM, SIGINT, SIGUSR1, SIGHUP}, [&daemon](int signal) {
    if (signal == SIGUSR1) return daemon.hand_over();
    if (signal == SIGHUP) return daemon.reload();
    daemon.stop();
  });
  if (const auto started = daemon.start(); !started) return fail(started.error().message);
  loop.run();
  return kDone;
}

int run(int argc, const char* const* argv) {
  auto parsed = parse_options(argc, argv);
  if (const auto* end = std::get_if<ExitWith>(&parsed)) return end->status;
  const auto& options = std::get<Options>(parsed);
  base::log::set_level(options.log_level);
  crypto::initialise();
  (void)signal(SIGPIPE, SIG_IGN);  // whoever reads the log may go
  auto config = config::load(options.config_file);
  if (!config) {
    std::fprintf(stderr, "%s\n", config.error().message.c_str());
    return kFailed;
  }
  if (options.check_config) return check_config(options, *config);
  return serve(options, std::move(*config));
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

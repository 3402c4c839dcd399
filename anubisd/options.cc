#include "anubisd/options.h"

#include <CLI/CLI.hpp>

#include "anubisd/netd/log_levels.h"
#include "lib/base/steps.h"

namespace anubis::daemon {
namespace {

constexpr int kUsage = 2;

constexpr const char* kFooter = R"(Runs in the foreground and logs to standard error. Signals:
  TERM, INT   take all sessions and interfaces down, tell the peers, end
  USR1        end, but leave sessions and interfaces for the next anubisd to adopt
  HUP         read the peers of the configuration again, as `anubis reload` does

Exit status: 0 ended as asked, 1 failed, 2 usage.)";

}  // namespace

std::variant<Options, ExitWith> parse_options(int argc, const char* const* argv) {
  Options options;
  CLI::App app{"anubisd: decides when a WireGuard peer exists", "anubisd"};
  app.add_option("--config", options.config_file, "The configuration")
      ->type_name("FILE")
      ->envname("ANUBIS_CONFIG")
      ->capture_default_str();
  app.add_option("--socket", options.socket, "The control socket, instead of the configured one")->type_name("PATH");
  app.add_option("--state-dir", options.state_directory,
                 "Holds what outlives a restart, and the lock that keeps a second anubisd away")
      ->type_name("DIR")
      ->capture_default_str();
  auto* netd = app.add_option("--netd", options.netd, "The anubis-netd to start, instead of the one beside anubisd")
                   ->type_name("PROGRAM");
  app.add_option("--netd-socket", options.netd_socket,
                 "Where to connect to an anubis-netd, which has a --config of its own, instead of starting one")
      ->type_name("PATH")
      ->excludes(netd);
  app.add_option("--user", options.user, "Whom to become when root starts it")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_flag("--check-config", options.check_config, "Say whether the configuration is right, and end");
  app.add_option("--log-level", options.log_level, "debug, info, warning or error")
      ->type_name("LEVEL")
      ->transform(CLI::CheckedTransformer(netd::kLogLevels, CLI::ignore_case).description(""))
      ->default_str("info");
  app.set_version_flag("--version", "anubisd " ANUBIS_VERSION + base::steps_in_version());
  app.footer(kFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ExitWith{app.exit(error) == 0 ? 0 : kUsage};
  }
  return options;
}

}  // namespace anubis::daemon

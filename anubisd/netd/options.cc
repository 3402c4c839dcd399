#include "anubisd/netd/options.h"

#include <CLI/CLI.hpp>

#include "anubisd/netd/log_levels.h"
#include "lib/base/steps.h"

namespace anubis::netd {
namespace {

constexpr int kUsage = 2;

constexpr const char* kFooter = R"(Started by anubisd, or by systemd when anubisd connects to its socket
(SOCK_SEQPACKET). Serves one anubisd and ends with it; sessions and interfaces
stay as they are. Signals, once it serves:
  USR1             end now; anubisd ends, too, and the next one adopts what is up
  TERM, INT, HUP   nothing: it ends with anubisd

Exit status: 0 ended with anubisd or as asked, 1 failed, 2 usage.)";

}  // namespace

std::variant<Options, ExitWith> parse_options(int argc, const char* const* argv) {
  Options options;
  CLI::App app{"anubis-netd: changes the network for anubisd, and holds the keys", "anubis-netd"};
  app.add_option("--config", options.config_file, "The configuration")
      ->type_name("FILE")
      ->envname("ANUBIS_CONFIG")
      ->capture_default_str();
  app.add_option("--user", options.user, "Whose anubisd may connect to a socket of systemd's, besides root's")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_flag("--inherited-channel", options.inherited_channel, "anubisd's: it is at the other end of descriptor 3");
  app.add_option("--launcher", options.launcher, "Its own: start userspace WireGuard for these, as descriptor 3 asks")
      ->type_name("INTERFACE INTERFACE")
      ->expected(2);
  app.add_option("--log-level", options.log_level, "debug, info, warning or error")
      ->type_name("LEVEL")
      ->transform(CLI::CheckedTransformer(kLogLevels, CLI::ignore_case).description(""))
      ->default_str("info");
  app.set_version_flag("--version", "anubis-netd " ANUBIS_VERSION + base::steps_in_version());
  app.footer(kFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ExitWith{app.exit(error) == 0 ? 0 : kUsage};
  }
  return options;
}

}  // namespace anubis::netd

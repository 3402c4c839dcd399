// `anubis`: brings peers up and takes them down by asking the local anubisd.
#include <cstdio>
#include <variant>

#include <unistd.h>

#include "anubis-cli/arguments.h"
#include "anubis-cli/commands.h"
#include "anubis-cli/output.h"
#include "lib/base/process.h"

namespace anubis::cli {
namespace {

struct Run {
  Context context;

  int operator()(const UpOptions& options) const { return up(context, options); }
  int operator()(const SwitchOptions& options) const { return switch_to(context, options); }
  int operator()(const DownOptions& options) const { return down(context, options); }
  int operator()(const DrainOptions& options) const { return drain(context, options); }
  int operator()(const StatusOptions& options) const {
    return options.watch ? watch(context, options) : status(context, options);
  }
  int operator()(const IsUpOptions& options) const { return is_up(context, options); }
  int operator()(const PeersOptions& options) const { return peers(context, options); }
  int operator()(const HostsOptions& options) const { return hosts(context, options); }
  int operator()(const MetricsOptions& options) const { return metrics(context, options); }
  int operator()(const CheckOptions& options) const { return check(context, options); }
  int operator()(const MonitorOptions& options) const { return monitor(context, options); }
  int operator()(const ReloadOptions& options) const { return reload(context, options); }
  int operator()(const FirewallOptions& options) const { return firewall(context, options); }
  int operator()(const InitOptions& options) const { return init(context, options); }
  int operator()(const CardOptions& options) const { return card(context, options); }
  int operator()(const TrustOptions& options) const { return trust(context, options); }
  int operator()(const ImportOptions& options) const { return import_file(context, options); }
  int operator()(const ExportOptions& options) const { return export_peer(context, options); }
  int operator()(const ProvisionOptions& options) const { return provision(context, options); }
  int operator()(const InviteOptions& options) const { return invite(context, options); }
  int operator()(const JoinOptions& options) const { return join(context, options); }
  int operator()(const RevokeOptions& options) const { return revoke(context, options); }
  int operator()(const NmEventOptions& options) const { return nm_event(context, options); }
};

}  // namespace
}  // namespace anubis::cli

int main(int argc, char** argv) {
  namespace cli = anubis::cli;
  // Keys of ours and of phones pass through here. To everybody but root the files below /proc/self would be closed.
  (void)anubis::base::forbid_core_dumps();
  if (geteuid() == 0) (void)anubis::base::set_not_dumpable();
  const auto invocation = cli::parse_arguments(argc, argv);
  int exit_status = 0;
  if (invocation) {
    exit_status =
        std::visit(cli::Run{{invocation->socket_path, cli::colour_of_output(invocation->colour)}}, invocation->command);
  } else {
    exit_status = invocation.error().exit_status;
    std::fputs(invocation.error().text.c_str(), exit_status == 0 ? stdout : stderr);
  }
  if (!cli::flush_output() && exit_status == 0) return 1;  // failed
  return exit_status;
}

// What `anubis` can do: a function a command, each in the file of its name. Each returns the exit status.
#pragma once

#include <string>

#include "anubis-cli/arguments.h"
#include "anubis-cli/table.h"

namespace anubis::cli {

struct Context {
  std::string socket_path;
  Colour colour = Colour::kOff;  // of standard output
};

int up(const Context& context, const UpOptions& options);
int switch_to(const Context& context, const SwitchOptions& options);
int down(const Context& context, const DownOptions& options);
int drain(const Context& context, const DrainOptions& options);
int status(const Context& context, const StatusOptions& options);
int watch(const Context& context, const StatusOptions& options);  // status --watch
int is_up(const Context& context, const IsUpOptions& options);
int peers(const Context& context, const PeersOptions& options);
int hosts(const Context& context, const HostsOptions& options);
int metrics(const Context& context, const MetricsOptions& options);
int check(const Context& context, const CheckOptions& options);
int monitor(const Context& context, const MonitorOptions& options);
int reload(const Context& context, const ReloadOptions& options);
int firewall(const Context& context, const FirewallOptions& options);
int init(const Context& context, const InitOptions& options);
int card(const Context& context, const CardOptions& options);
int trust(const Context& context, const TrustOptions& options);
int import_file(const Context& context, const ImportOptions& options);
int export_peer(const Context& context, const ExportOptions& options);
int provision_companion(const Context& context, const ProvisionOptions& options);  // provision --companion
int provision(const Context& context, const ProvisionOptions& options);
int invite(const Context& context, const InviteOptions& options);
int join(const Context& context, const JoinOptions& options);
int revoke(const Context& context, const RevokeOptions& options);
int nm_event(const Context& context, const NmEventOptions& options);

}  // namespace anubis::cli

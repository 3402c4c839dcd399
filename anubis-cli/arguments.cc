#include "anubis-cli/arguments.h"

#include <cstdlib>

#include <CLI/CLI.hpp>

#include "anubis-cli/identity_arguments.h"
#include "anubis-cli/interop_arguments.h"
#include "anubis-cli/text.h"
#include "anubis-cli/usage.h"
#include "lib/base/duration.h"
#include "lib/config/name.h"

namespace anubis::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kUsage = 2;
constexpr seconds kMaxTimeout = std::chrono::hours(1);

constexpr const char* kNmEvent = "nm-event";
constexpr const char* kWhichPeer = "which peer? NAME is missing; their names: anubis peers";

constexpr const char* kExitStatuses = R"(Exit status:
  0  done
  1  failed
  2  usage
  3  not up (is-up)
  4  refused by the peer
  5  peer or daemon unreachable or timed out
  6  no such peer
  7  not permitted
  8  daemon not running
  130  interrupted by Ctrl-C; the daemon goes on with what it was asked
)";

// What the options are read into, as typed.
struct Typed {
  Invocation invocation;
  UpOptions up;
  SwitchOptions switch_to;
  DownOptions down;
  DrainOptions drain;
  StatusOptions status;
  IsUpOptions is_up;
  PeersOptions peers;
  HostsOptions hosts;
  MetricsOptions metrics;
  CheckOptions check;
  std::string check_to;
  std::string check_timeout = "1s";
  MonitorOptions monitor;
  FirewallOptions firewall;
  std::string firewall_action;
  NmEventOptions nm_event;
  TypedIdentity identity;
  TypedInterop interop;
  std::string lease;
  std::string wanted_for;
  std::string timeout = "10s";
  std::string colour = "auto";
};

seconds parse_seconds(const std::string& option, const std::string& text) {
  const auto duration = base::parse_duration(text);
  if (!duration) throw UsageError{option + ": " + duration.error().message};
  return std::chrono::duration_cast<seconds>(*duration);
}

milliseconds parse_timeout(const std::string& text) {
  const auto timeout = parse_seconds("--timeout", text);
  if (timeout < seconds(1) || timeout > kMaxTimeout)
    throw UsageError{"--timeout: \"" + text + "\" is not within 1s and 1h"};
  return timeout;
}

std::optional<model::IpAddress> parse_to(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto address = model::IpAddress::parse(text);
  if (!address) throw UsageError{"--to: " + address.error().message};
  if (address->is_unspecified() || address->is_multicast() || address->is_link_local() || address->is_loopback())
    throw UsageError{"--to: " + text + " is not the address of one host that can be reached from everywhere"};
  return *address;
}

std::optional<std::uint32_t> parse_lease(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (text == "none") return 0;
  const auto lease = parse_seconds("--lease", text);
  if (lease < seconds(1))
    throw UsageError{"--lease: \"" + text + "\" is over at once; for a session without end: --lease none"};
  return static_cast<std::uint32_t>(lease.count());
}

std::optional<std::uint32_t> parse_wanted_for(const std::string& text, bool persist) {
  if (text.empty()) return std::nullopt;
  if (persist) throw UsageError{"either --for or --persist, not both"};
  const auto time = parse_seconds("--for", text);
  if (time < seconds(1)) throw UsageError{"--for: \"" + text + "\" is over at once"};
  return static_cast<std::uint32_t>(time.count());
}

FirewallAction parse_firewall_action(const std::string& text) {
  if (text == "show") return FirewallAction::kShow;
  if (text == "apply") return FirewallAction::kApply;
  if (text == "remove") return FirewallAction::kRemove;
  throw UsageError{text.empty() ? "what with it? show, apply or remove"
                                : "\"" + text + "\" is none of show, apply and remove"};
}

ColourChoice parse_colour(const std::string& text) {
  if (text == "auto") return ColourChoice::kAuto;
  if (text == "always") return ColourChoice::kAlways;
  if (text == "never") return ColourChoice::kNever;
  throw UsageError{"--color: \"" + text + "\" is none of auto, always and never"};
}

// "up, down, …": for those who typed something else.
std::string commands_of(const CLI::App& app) {
  std::string text;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    text.append(text.empty() ? "" : ", ").append(command->get_name());
  }
  return text;
}

CLI::App* add_timeout(CLI::App* command, Typed& typed) {
  command->add_option("--timeout", typed.timeout, "Give up when the peer has not answered after so long (default: 10s)")
      ->type_name("TIME");
  return command;
}

void add_check(CLI::App& app, Typed& typed) {
  CLI::App* check = add_command(
      app, "check", "Test whether traffic to a host goes the way it should, and encrypted",
      "Sends echo requests that bear a random marker to each of the host's addresses (anubis hosts lists them) and\n"
      "watches all interfaces: what belongs into WireGuard must be readable on the production interface alone.\n"
      "Tells the way, the route and rule behind it, loss, latency and path MTU. With NAMEwg instead of NAME, just\n"
      "the addresses through WireGuard. Watching needs root.\n\n"
      "Exit status: 0 all as it should be; 1 not (in clear, wrong way, lost); 5 no answer at all; 7 not permitted.\n\n"
      "Example:\n  sudo anubis check jacinth\n  anubis check jacinth --to 192.168.7.9 --no-capture");
  check->add_option("NAME", typed.check.name, "The host")->type_name("")->required();
  check->add_option("--to", typed.check_to, "Look at this address instead, which may be behind the host")
      ->type_name("ADDRESS");
  check->add_option("--count", typed.check.count, "Probes for loss and latency (default: 10)")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000));
  check->add_option("--timeout", typed.check_timeout, "How long an answer may take (default: 1s)")->type_name("TIME");
  check->add_option("--max-loss", typed.check.most_loss_percent, "How much loss is as it should be (default: 20)")
      ->type_name("PERCENT")
      ->check(CLI::Range(0.0, 100.0));
  check->add_flag("!--no-capture", typed.check.capture, "Don't watch the interfaces: needs no root");
  check->add_flag("--json", typed.check.json, "For scripts");
}

void add_commands(CLI::App& app, Typed& typed) {
  CLI::App* up =
      add_command(app, "up", "Bring a peer up at both ends; renew its lease when it is up already",
                  "Returns when traffic can flow: both ends have each other and WireGuard has shaken hands.\n"
                  "From then on it stays up, and comes back when it is lost, until somebody takes it down.\n"
                  "Ctrl-C stops the waiting, not the daemon.\n\n"
                  "Example:\n  anubis up jacinth --for 2h\n  anubis up jacinth --persist");
  up->add_option("NAME", typed.up.name, "The peer")->type_name("")->required();
  up->add_option("--lease", typed.lease,
                 "How long the peer keeps it without hearing from us: 90s, 15m, 2h, 7d, 1h30m; none: for ever.\n"
                 "It is renewed in the background (default: as configured)")
      ->type_name("TIME");
  up->add_option("--for", typed.wanted_for, "Take it down again after so long")->type_name("TIME");
  up->add_flag("--persist", typed.up.persist, "Try until it works, and bring it up again after a reboot");
  add_timeout(up, typed);

  CLI::App* switch_to =
      add_command(app, "switch", "Bring a peer up in place of the others of its group, without a gap",
                  "First the new one is brought up, then it takes over what the other has, then the other is taken\n"
                  "down. If the new one cannot be brought up, all stays as it was.\n\n"
                  "Example:\n  anubis switch surya");
  switch_to->add_option("NAME", typed.switch_to.name, "The peer")->type_name("")->required();
  add_timeout(switch_to, typed);

  CLI::App* down =
      add_command(app, "down", "Take a peer down at both ends",
                  "It is down at this end even when the peer does not answer.\n\nExample:\n  anubis down jacinth");
  down->add_option("NAME", typed.down.name, "The peer")->type_name("");
  down->add_flag("--all", typed.down.all, "All that are up");
  add_timeout(down, typed);

  CLI::App* drain = add_command(app, "drain", "Send all peers that are up to another server",
                                "Each is told where to go, and taken down here. It goes if it has both servers in one "
                                "group.\n\nExample:\n  anubis drain --to surya");
  drain->add_option("--to", typed.drain.to, "The server that takes over: a peer of this host")->type_name("NAME");
  add_timeout(drain, typed);

  CLI::App* status = add_command(
      app, "status", "Show who is up, since when, lease left, handshake age, traffic, and why not",
      "JSON: {\"schema\": 1, \"host\": …, \"daemon\": \"running\", \"peers\": [{\"name\": …, \"state\": …}]};\n"
      "state is down, going-up, up, going-down or failed. It comes in every state, the daemon being down\n"
      "included (\"daemon\": \"not running\", exit status 8).\n\n"
      "Example:\n  anubis status jacinth\n  anubis status --json | jq -r '.peers[] | select(.state == \"up\").name'");
  status->add_option("NAME", typed.status.name, "One peer, in detail (default: all, in a table)")->type_name("");
  status->add_flag("--json", typed.status.json, "For scripts");
  status->add_flag("-w,--watch", typed.status.watch,
                   "Show it anew each second, until q or Ctrl-C; with --json: a line of JSON each second");

  CLI::App* is_up = add_command(app, "is-up", "Tell by the exit status whether a peer is up",
                                "Prints nothing. Exit status: 0 up, 3 not up, 6 no such peer, 8 daemon not running.\n\n"
                                "Example:\n  anubis is-up jacinth || anubis up jacinth");
  is_up->add_option("NAME", typed.is_up.name, "The peer")->type_name("")->required();
  is_up->add_flag("-v,--verbose", typed.is_up.verbose, "Say it in words too");

  CLI::App* peers = add_command(app, "peers", "List who is authorised", "Example:\n  anubis peers --keys");
  peers->add_flag("--json", typed.peers.json, "For scripts; with the keys");
  peers->add_flag("--keys", typed.peers.keys, "Show side addresses and keys, in full");

  CLI::App* hosts = add_command(
      app, "hosts", "Print the addresses of all hosts, for /etc/hosts",
      "Each host has two names: NAME goes directly, NAMEwg goes through WireGuard. The addresses are those of\n"
      "the configuration: addresses and lan_addresses of peers and of each [[host]].\n\n"
      "Example:\n  anubis hosts | sudo tee -a /etc/hosts");
  hosts->add_flag("--json", typed.hosts.json, "For scripts");

  CLI::App* metrics = add_command(app, "metrics", "Print this host's numbers for Prometheus",
                                  "The same as the daemon serves at metrics.listen, if that is configured.\n\n"
                                  "Example:\n  anubis metrics --output /var/lib/prometheus/node-exporter/anubis.prom");
  metrics
      ->add_option("--output", typed.metrics.output,
                   "Replace this file, at once, for node_exporter's textfile collector")
      ->type_name("FILE");

  add_check(app, typed);
  add_identity_commands(app, typed.identity);
  add_interop_commands(app, typed.interop);

  CLI::App* monitor =
      add_command(app, "monitor", "Print a line an event, until interrupted",
                  "Ends with exit status 8 when the daemon goes away.\n\nExample:\n  anubis monitor --json");
  monitor->add_flag("--json", typed.monitor.json, "One object a line, for scripts");

  add_command(app, "reload", "Have the daemon read its configuration again",
              "A broken configuration changes nothing: the one in force stays, and you are told what is wrong.\n\n"
              "Example:\n  sudoedit /etc/anubis/anubis.toml && anubis reload");

  CLI::App* firewall = add_command(
      app, "firewall", "Show the firewall, put it in place, or take it away",
      "show    our table as the kernel has it, whether that is as it should be, and which of our ports other tables\n"
      "        close, with what to type\n"
      "apply   put it in place now, whatever the configuration says, until anubisd is restarted\n"
      "remove  take it away until `apply` or until anubisd is restarted; apply and remove are for root\n\n"
      "Example:\n  anubis firewall show");
  firewall->add_option("ACTION", typed.firewall_action, "show, apply or remove")->type_name("");
  firewall->add_flag("--json", typed.firewall.json, "For scripts: of show");

  CLI::App* nm_event = add_command(
      app, kNmEvent, "Tell the daemon that something happened to the network: for hooks",
      "Called as `anubis nm-event IFACE ACTION` by NetworkManager's dispatcher and networkd-dispatcher. Asks\n"
      "NetworkManager what is active now and has the daemon look where this host is; what happened does not\n"
      "matter. Prints nothing. Exit status: 0 within about a second, whatever happens.");
  // Actions have the names of our commands, and nothing that stands there may be a mistake.
  nm_event->fallthrough(false);
  nm_event->prefix_command();
  nm_event->add_flag("--until-running", typed.nm_event.until_running,
                     "Wait up to 10 s for the daemon to take commands: for the unit that starts it");
}

// With the arguments of `nm-event`, as far as there are any.
NmEventOptions event_of(const CLI::App& command, NmEventOptions event) {
  const auto typed = command.remaining();
  if (!typed.empty()) event.interface = typed[0];
  if (typed.size() > 1) event.action = typed[1];
  return event;
}

Invocation invocation_of(const CLI::App& app, Typed typed) {
  const auto chosen = app.get_subcommands();
  if (chosen.empty()) throw UsageError{"which command? " + commands_of(app)};
  const std::string& name = chosen.front()->get_name();
  Invocation invocation = std::move(typed.invocation);
  if (invocation.socket_path.empty()) throw UsageError{"--socket: the path is empty"};
  invocation.colour = parse_colour(typed.colour);
  if (name == "up") {
    require_name(typed.up.name);
    typed.up.lease_seconds = parse_lease(typed.lease);
    typed.up.wanted_for_seconds = parse_wanted_for(typed.wanted_for, typed.up.persist);
    typed.up.timeout = parse_timeout(typed.timeout);
    invocation.command = std::move(typed.up);
  } else if (name == "switch") {
    require_name(typed.switch_to.name);
    typed.switch_to.timeout = parse_timeout(typed.timeout);
    invocation.command = std::move(typed.switch_to);
  } else if (name == "down") {
    if (typed.down.all && !typed.down.name.empty()) throw UsageError{"either NAME or --all, not both"};
    if (!typed.down.all) require_name(typed.down.name);
    typed.down.timeout = parse_timeout(typed.timeout);
    invocation.command = std::move(typed.down);
  } else if (name == "drain") {
    if (typed.drain.to.empty()) throw UsageError{"where to? --to NAME is missing; names: anubis peers"};
    check_name(typed.drain.to);
    typed.drain.timeout = parse_timeout(typed.timeout);
    invocation.command = std::move(typed.drain);
  } else if (name == "status") {
    check_name(typed.status.name);
    invocation.command = std::move(typed.status);
  } else if (name == "is-up") {
    require_name(typed.is_up.name);
    invocation.command = std::move(typed.is_up);
  } else if (name == "peers") {
    invocation.command = typed.peers;
  } else if (name == "hosts") {
    invocation.command = typed.hosts;
  } else if (name == "metrics") {
    invocation.command = std::move(typed.metrics);
  } else if (name == "check") {
    require_name(typed.check.name);
    typed.check.to = parse_to(typed.check_to);
    typed.check.timeout = parse_timeout(typed.check_timeout);
    invocation.command = std::move(typed.check);
  } else if (name == "monitor") {
    invocation.command = typed.monitor;
  } else if (name == "firewall") {
    typed.firewall.action = parse_firewall_action(typed.firewall_action);
    invocation.command = typed.firewall;
  } else if (auto interop = interop_command(name, typed.interop)) {
    invocation.command = std::move(*interop);
  } else if (auto command = identity_command(name, typed.identity)) {
    invocation.command = std::move(*command);
  } else if (name == kNmEvent) {
    invocation.command = event_of(*chosen.front(), typed.nm_event);
  } else {
    invocation.command = ReloadOptions{};
  }
  return invocation;
}

NothingToDo usage(const CLI::App& app, const std::string& message) {
  const auto chosen = app.get_subcommands();
  if (!chosen.empty() && chosen.front()->get_name() == kNmEvent) return {};  // a hook has nobody to complain to
  const std::string command = chosen.empty() ? "anubis" : "anubis " + chosen.front()->get_name();
  return {kUsage, command + ": " + printable(message) + "\nHelp: " + command + " --help\n"};
}

}  // namespace

// Characters and length as the configuration demands them. A dot or hyphen in front, which it does not take either, is
// let through: no peer has such a name, and the daemon says so.
void check_name(const std::string& name) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  constexpr std::size_t kLongest = 63;
  if (name.size() <= kLongest && name.find_first_not_of(kAllowed) == std::string::npos) return;
  throw UsageError{"no peer can be called that: a name is 1 to 63 letters, digits, dots, underscores and hyphens"};
}

void check_new_name(const std::string& name) {
  if (name.empty()) return;
  if (const auto parsed = config::parse_name(name); !parsed) throw UsageError{parsed.error().message};
}

void require_name(const std::string& name) {
  if (name.empty()) throw UsageError{kWhichPeer};
  check_name(name);
}

void add_config(CLI::App* command, std::string& config) {
  // Not as CLI11's envname(): it would take the environment's for the option of each command that was not typed, and
  // all share one value.
  if (const char* set = std::getenv("ANUBIS_CONFIG"); set != nullptr && *set != '\0') config = set;
  command->add_option("--config", config, "The configuration (default: $ANUBIS_CONFIG, else /etc/anubis/anubis.toml)")
      ->type_name("FILE");
}

std::string absolute_config(const std::string& config) {
  if (config.empty()) throw UsageError{"--config: the path is empty"};
  return std::filesystem::absolute(config).lexically_normal();
}

CLI::App* add_command(CLI::App& app, const char* name, const char* description, const char* footer) {
  CLI::App* command = app.add_subcommand(name, description);
  command->footer(footer);
  command->group("Commands");
  command->fallthrough();  // global options may stand behind the command
  return command;
}

tl::expected<Invocation, NothingToDo> parse_arguments(int argc, const char* const* argv) {
  Typed typed;
  typed.invocation.socket_path = kDefaultSocket;
  CLI::App app("Anubis, a gatekeeper for WireGuard: brings peers up and takes them down, at both ends.", "anubis");
  app.footer(kExitStatuses);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.get_formatter()->label("REQUIRED", "");
  app.set_version_flag("--version", "anubis " ANUBIS_VERSION);
  app.add_option("--socket", typed.invocation.socket_path,
                 "The daemon's control socket (default: " + std::string(kDefaultSocket) + ")")
      ->envname("ANUBIS_SOCKET")
      ->type_name("PATH");
  app.add_option("--color", typed.colour, "auto (default; NO_COLOR is honoured), always or never")->type_name("WHEN");
  add_commands(app, typed);

  try {
    app.parse(argc, argv);
    return invocation_of(app, std::move(typed));
  } catch (const CLI::CallForHelp&) {
    return tl::unexpected(NothingToDo{0, app.help()});
  } catch (const CLI::CallForVersion& version) {
    return tl::unexpected(NothingToDo{0, std::string(version.what()) + "\n"});
  } catch (const CLI::RequiredError&) {  // NAME, but for two
    const auto chosen = app.get_subcommands();
    const std::string command = chosen.empty() ? "" : chosen.front()->get_name();
    if (command == "trust") return tl::unexpected(usage(app, "which card? FILE is missing; - is standard input"));
    if (command == "join") return tl::unexpected(usage(app, "which invitation? FILE is missing; - is standard input"));
    return tl::unexpected(usage(app, kWhichPeer));
  } catch (const CLI::ExtrasError& error) {
    const std::string first = app.remaining().empty() ? "" : app.remaining().front();
    const bool has_command = !app.get_subcommands().empty();
    if (has_command || first.starts_with('-')) return tl::unexpected(usage(app, error.what()));
    return tl::unexpected(usage(app, "there is no command " + first + ": " + commands_of(app)));
  } catch (const CLI::ParseError& error) {
    return tl::unexpected(usage(app, error.what()));
  } catch (const UsageError& error) {
    return tl::unexpected(usage(app, error.message));
  }
}

}  // namespace anubis::cli

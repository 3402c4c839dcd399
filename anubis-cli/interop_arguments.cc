#include "anubis-cli/interop_arguments.h"

#include <CLI/CLI.hpp>

#include "lib/base/duration.h"

namespace anubis::cli {
namespace {

using std::chrono::seconds;

void add_import(CLI::App& app, TypedInterop& typed) {
  CLI::App* import_file = add_command(
      app, "import", "Turn a file of wg-quick into Anubis' configuration",
      "Writes anubis.toml, conf.d and the keys from FILE, of which nothing is changed or run. An interface that is up\n"
      "stays as it is, and so do its peers: anubisd adopts them. Never overwrites anything. Run it as root.\n"
      "PreUp, PostUp, PreDown, PostDown, SaveConfig and DNS mean nothing to Anubis; you are told of each.\n\n"
      "Example:\n  sudo anubis import --dry-run /etc/wireguard/wg0.conf\n  sudo anubis import /etc/wireguard/wg0.conf");
  import_file->add_option("FILE", typed.import_file.file, "The file; its name is that of the interface")
      ->type_name("")
      ->required();
  import_file
      ->add_option("--interface", typed.import_file.interface, "The interface (default: FILE's name, without .conf)")
      ->type_name("NAME");
  import_file->add_flag("--dry-run", typed.import_file.dry_run, "Print what would be written, without the keys");
  add_config(import_file, typed.config);
}

void add_export(CLI::App& app, TypedInterop& typed) {
  CLI::App* export_peer = add_command(app, "export", "Print this host's tunnel with a peer as a file for wg-quick",
                                      "The file holds this host's private key. Run it as root.\n\n"
                                      "Example:\n  sudo anubis export jacinth --output /etc/wireguard/jacinth.conf");
  export_peer->add_option("NAME", typed.export_peer.name, "The peer")->type_name("")->required();
  export_peer
      ->add_option("-o,--output", typed.export_peer.output, "Write it to a new file that only its owner can read")
      ->type_name("FILE");
  add_config(export_peer, typed.config);
}

void add_provision(CLI::App& app, TypedInterop& typed) {
  ProvisionOptions& options = typed.provision;
  CLI::App* provision = add_command(
      app, "provision", "Make a phone's configuration, as a QR code for WireGuard's own app",
      "For root, on the server. Makes the phone's key, shows its configuration on the terminal until q is typed, and\n"
      "keeps only the public key, in conf.d/NAME.toml. The phone has one tunnel with this host in it twice: the side\n"
      "tunnel always answers, the other one while the phone is up here (anubis up NAME).\n"
      "The app resolves names only once, so endpoints are written as addresses: if this host's changes, the phone\n"
      "needs a new configuration.\n\n"
      "Example:\n  sudo anubis provision selen --endpoint jacinth.example.net\n"
      "  sudo anubis provision selen --reach 0.0.0.0/0,::/0 --dns 10.44.0.1 --output selen.png");
  provision->add_option("NAME", options.name, "What to call the phone")->type_name("")->required();
  provision->add_option("--address", typed.addresses, "Its addresses in the tunnel (default: free ones)")
      ->type_name("ADDRESS,...")
      ->delimiter(',');
  provision
      ->add_option("--reach", typed.reaches,
                   "What it reaches through this host (default: this host's WireGuard networks);\n"
                   "0.0.0.0/0,::/0 for everything")
      ->type_name("RANGE,...")
      ->delimiter(',');
  provision
      ->add_option("--endpoint", typed.endpoint,
                   "Where phones reach this host, :PORT if not its own (default: as configured)")
      ->type_name("HOST");
  provision->add_option("--side-endpoint", typed.side_endpoint, "The same, of the side tunnel (default: the same host)")
      ->type_name("HOST");
  provision->add_option("--dns", typed.dns, "Name servers and search domains, while the app's tunnel is on")
      ->type_name("ADDRESS,...")
      ->delimiter(',');
  provision
      ->add_option("--keepalive", options.persistent_keepalive,
                   "Have it send something every so many seconds, so that others can reach it at any time;\n"
                   "costs battery (default: off)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0, 65'535));
  provision->add_option("--lease", typed.lease, "How long it stays up unless it is brought up again: 15m, 8h, 7d")
      ->type_name("TIME");
  provision
      ->add_option("--public-key", options.public_key,
                   "The phone's own public key: then its private key never leaves it, and you type it there")
      ->type_name("KEY");
  provision->add_option("--side-address", typed.side_address, "Its side address, where side.address is configured")
      ->type_name("ADDRESS");
  provision->add_option("-o,--output", options.output, "Write a picture, or the text, instead: *.png, *.svg or *.conf")
      ->type_name("FILE");
  provision->add_flag("--text", options.text, "Print the text instead; it holds the private key");
  provision->add_flag("--companion", options.companion,
                      "Show the address of the page instead, with which the phone's browser brings it up and down");
  provision->add_flag("--replace", options.replace,
                      "With --companion: another page's key in the place of the one that the phone has lost");
  add_config(provision, typed.config);
}

ProvisionOptions provision_of(TypedInterop& typed) {
  ProvisionOptions options = std::move(typed.provision);
  options.config = typed.config;
  options.addresses = parse_all<model::IpAddress>("--address", typed.addresses);
  options.side_address = parse_one<model::IpAddress>("--side-address", typed.side_address);
  options.reaches = parse_all<model::IpPrefix>("--reach", typed.reaches);
  options.endpoint = parse_one<model::HostPort>("--endpoint", typed.endpoint);
  options.side_endpoint = parse_one<model::HostPort>("--side-endpoint", typed.side_endpoint);
  for (const std::string& each : typed.dns) {
    if (const auto address = model::IpAddress::parse(each)) {
      options.dns_servers.push_back(*address);
      continue;
    }
    const auto domain = model::HostPort::parse(each);
    if (!domain || domain->port) throw UsageError{"--dns: \"" + each + "\" is neither an address nor a search domain"};
    options.dns_search.push_back(domain->host);
  }
  if (!typed.lease.empty()) {
    const auto lease = base::parse_duration(typed.lease);
    if (!lease) throw UsageError{"--lease: " + lease.error().message};
    options.lease = std::chrono::duration_cast<seconds>(*lease);
    if (*options.lease < seconds(1)) throw UsageError{"--lease: \"" + typed.lease + "\" is over at once"};
  }
  if (options.replace && !options.companion) throw UsageError{"--replace goes with --companion"};
  if (options.companion) {
    const bool is_of_the_phone = !typed.addresses.empty() || !typed.reaches.empty() || !typed.endpoint.empty() ||
                                 !typed.side_endpoint.empty() || !typed.dns.empty() || !typed.lease.empty() ||
                                 !typed.side_address.empty() || !options.public_key.empty() ||
                                 options.persistent_keepalive != 0;
    if (is_of_the_phone) {
      throw UsageError{
          "with --companion the phone is a peer already, as it was provisioned: only --replace, --output, "
          "--text and --config go with it"};
    }
  }
  if (options.text && !options.output.empty()) throw UsageError{"either --text or --output, not both"};
  return options;
}

}  // namespace

void add_interop_commands(CLI::App& app, TypedInterop& typed) {
  add_import(app, typed);
  add_export(app, typed);
  add_provision(app, typed);
}

std::optional<Command> interop_command(const std::string& command, TypedInterop& typed) {
  typed.config = absolute_config(typed.config);
  if (command == "import") {
    typed.import_file.config = typed.config;
    return std::move(typed.import_file);
  }
  if (command == "export") {
    require_name(typed.export_peer.name);
    typed.export_peer.config = typed.config;
    return std::move(typed.export_peer);
  }
  if (command == "provision") {
    require_name(typed.provision.name);
    check_new_name(typed.provision.name);
    return provision_of(typed);
  }
  return std::nullopt;
}

}  // namespace anubis::cli

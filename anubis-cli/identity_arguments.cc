#include "anubis-cli/identity_arguments.h"

#include <CLI/CLI.hpp>

namespace anubis::cli {
namespace {

void add_endpoint(CLI::App* command, TypedIdentity& typed) {
  command
      ->add_option("--endpoint", typed.endpoint,
                   "Where other hosts reach this one: a name or an address, :PORT if not 4296")
      ->type_name("HOST");
}

void add_allowed_ips(CLI::App* command, TypedIdentity& typed, const char* description) {
  command->add_option("--allowed-ips", typed.allowed_ips, description)->type_name("RANGE")->delimiter(',');
}

}  // namespace

void add_identity_commands(CLI::App& app, TypedIdentity& typed) {
  CLI::App* init = add_command(
      app, "init", "Make this host's keys and its configuration",
      "Makes two private keys, NAME.key and NAME-side.key, readable for root alone, and anubis.toml with comments.\n"
      "Never overwrites anything: what is there already stays, and then nothing is made. Run it as root.\n\n"
      "Example:\n  sudo anubis init --address 10.44.0.1/24 --endpoint jacinth.example.net\n"
      "  sudo anubis init --name xena --address 10.44.0.7/24");
  init->add_option("--name", typed.init.name, "What other hosts call this one (default: its host name)")
      ->type_name("NAME");
  init->add_option("--address", typed.addresses,
                   "Its address in the tunnel, with the length of the network that all hosts share: 10.44.0.1/24")
      ->type_name("ADDRESS")
      ->delimiter(',');
  add_endpoint(init, typed);
  add_config(init, typed.config);

  CLI::App* card = add_command(
      app, "card", "Print this host's identity, for `anubis trust` on another host",
      "A short text with this host's name, public keys, endpoint and addresses; no secret is in it. It survives mail\n"
      "and chat, quoting included. That it is really this host's, whoever gets it must know: send it by a way on "
      "which\n"
      "nobody can exchange it, or compare its last line on the telephone. Run it as root.\n\n"
      "Example:\n  sudo anubis card | ssh root@jacinth anubis trust --yes -");
  add_endpoint(card, typed);
  add_config(card, typed.config);

  CLI::App* trust = add_command(
      app, "trust", "Make the host a peer whose card this is",
      "Shows what it will write to conf.d/NAME.toml, and asks. Both hosts have to trust each other. Nothing is "
      "changed\n"
      "when the card is damaged, is this host's own, or when its keys, name or addresses belong to another peer. If\n"
      "anubisd runs, the peer can be brought up at once. Run it as root.\n\n"
      "Example:\n  sudo anubis trust jacinth.card\n  sudo anubis trust - --allowed-ips 10.44.0.1,192.168.7.0/24");
  trust->add_option("FILE", typed.trust.file, "The card; - for standard input")->type_name("")->required();
  trust->add_option("--name", typed.trust.name, "What to call it here (default: as its card says)")->type_name("NAME");
  add_allowed_ips(trust, typed, "What goes to it and may come from it, by commas (default: the addresses on its card)");
  trust->add_flag("-y,--yes", typed.trust.yes, "Don't ask");
  add_config(trust, typed.config);
}

std::optional<Command> identity_command(const std::string& command, TypedIdentity& typed) {
  const auto allowed_ips = parse_all<model::IpPrefix>("--allowed-ips", typed.allowed_ips);
  if (typed.config.empty()) throw UsageError{"--config: the path is empty"};
  if (command == "init") {
    check_name(typed.init.name);
    typed.init.addresses = parse_all<model::InterfaceAddress>("--address", typed.addresses);
    typed.init.endpoint = parse_one<model::HostPort>("--endpoint", typed.endpoint);
    typed.init.config = typed.config;
    return typed.init;
  }
  if (command == "card") {
    typed.card.endpoint = parse_one<model::HostPort>("--endpoint", typed.endpoint);
    typed.card.config = typed.config;
    return typed.card;
  }
  if (command == "trust") {
    if (typed.trust.file.empty()) throw UsageError{"which card? FILE is missing; - is standard input"};
    check_name(typed.trust.name);
    typed.trust.allowed_ips = allowed_ips;
    typed.trust.config = typed.config;
    return typed.trust;
  }
  return std::nullopt;
}

}  // namespace anubis::cli

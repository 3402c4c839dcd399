#include "anubis-cli/identity_arguments.h"

#include <chrono>

#include <CLI/CLI.hpp>

#include "lib/base/duration.h"

namespace anubis::cli {
namespace {

// Seconds, from one to MOST.
std::uint32_t parse_time(const std::string& option, const std::string& text, std::chrono::seconds most) {
  const auto duration = base::parse_duration(text);
  if (!duration) throw UsageError{option + ": " + duration.error().message};
  if (*duration < std::chrono::seconds(1) || *duration > most) {
    throw UsageError{option + ": \"" + text + "\" is not within 1s and " + base::format_duration(most)};
  }
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(*duration).count());
}

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
  card->add_flag("--qr", typed.card.qr, "As a QR code, which holds the same text");
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

  CLI::App* invite = add_command(
      app, "invite", "Let a new host join by itself, once",
      "Prints one line, the invitation: whoever has it can join as NAME with `anubis join`, once and in time. It is a\n"
      "secret until then. The new host makes its own keys, which never travel; it gets the address and the rights "
      "that\n"
      "are said here, and both ends have each other as peers. Run it as root.\n\n"
      "Example:\n  sudo sh -c 'umask 077; anubis invite petra --allowed-ips 10.44.0.8 > petra.invitation'");
  invite->add_option("NAME", typed.invite.name, "What the new host will be called")->type_name("")->required();
  add_allowed_ips(invite, typed, "What will go to it and may come from it, by commas: its address in the tunnel first");
  invite
      ->add_option("--address", typed.addresses,
                   "Its address with the length of the network (default: that of --allowed-ips)")
      ->type_name("ADDRESS")
      ->delimiter(',');
  invite
      ->add_option(
          "--through", typed.through,
          "What it sends through this host, by commas; 0.0.0.0/0,::/0 for all (default: this host's addresses)")
      ->type_name("RANGE")
      ->delimiter(',');
  invite->add_flag("--qr", typed.invite.qr, "As a QR code, on the terminal's alternate screen until q is typed");
  invite->add_option("--for", typed.valid_for, "How long it is good, at most 30d (default: 1h)")->type_name("TIME");
  add_endpoint(invite, typed);
  add_config(invite, typed.config);

  CLI::App* join = add_command(
      app, "join", "Become a peer of the host that invited this one",
      "Makes this host's keys and its configuration, if there are none yet, and has the other host enrol it, through "
      "a\n"
      "tunnel that is there for that alone. Shows what will be written, and asks. Whatever fails, it can be tried "
      "again.\n"
      "Other users of this host can read what is typed: give a file, or - for standard input. Run it as root.\n\n"
      "Example:\n  sudo anubis join petra.invitation\n  sudo anubis join -");
  join->add_option("FILE", typed.join.token, "The invitation: a file, - for standard input, or itself")
      ->type_name("")
      ->required();
  join->add_option("--timeout", typed.timeout, "Give up when there was no answer after so long (default: 20s)")
      ->type_name("TIME");
  join->add_flag("-y,--yes", typed.join.yes, "Don't ask");
  add_config(join, typed.config);

  CLI::App* revoke = add_command(
      app, "revoke", "Take a peer, or an invitation, away for good",
      "The session is taken down at once, at both ends where the peer can be told; conf.d/NAME.toml goes, and with it\n"
      "whatever invitation made the peer. Run it as root.\n\nExample:\n  sudo anubis revoke petra");
  revoke->add_option("NAME", typed.revoke.name, "The peer, or the host that was invited")->type_name("")->required();
  add_config(revoke, typed.config);
}

std::optional<Command> identity_command(const std::string& command, TypedIdentity& typed) {
  const auto allowed_ips = parse_all<model::IpPrefix>("--allowed-ips", typed.allowed_ips);
  typed.config = absolute_config(typed.config);
  if (command == "init") {
    check_new_name(typed.init.name);
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
    check_new_name(typed.trust.name);
    typed.trust.allowed_ips = allowed_ips;
    typed.trust.config = typed.config;
    return typed.trust;
  }
  if (command == "invite") {
    require_name(typed.invite.name);
    check_new_name(typed.invite.name);
    if (allowed_ips.empty()) {
      throw UsageError{"which address shall " + typed.invite.name + " have? Say it as --allowed-ips 10.44.0.8"};
    }
    typed.invite.allowed_ips = allowed_ips;
    typed.invite.addresses = parse_all<model::InterfaceAddress>("--address", typed.addresses);
    typed.invite.through = parse_all<model::IpPrefix>("--through", typed.through);
    typed.invite.endpoint = parse_one<model::HostPort>("--endpoint", typed.endpoint);
    typed.invite.valid_seconds = parse_time("--for", typed.valid_for, std::chrono::hours(24) * 30);
    typed.invite.config = typed.config;
    return typed.invite;
  }
  if (command == "join") {
    if (typed.join.token.empty()) throw UsageError{"which invitation? FILE is missing; - is standard input"};
    typed.join.timeout = std::chrono::seconds(parse_time("--timeout", typed.timeout, std::chrono::hours(1)));
    typed.join.config = typed.config;
    return typed.join;
  }
  if (command == "revoke") {
    require_name(typed.revoke.name);
    typed.revoke.config = typed.config;
    return typed.revoke;
  }
  return std::nullopt;
}

}  // namespace anubis::cli

// The command lines of those commands that write this host's configuration: init, card, trust, invite, join, revoke.
// Internal to arguments.cc.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "anubis-cli/arguments.h"
#include "anubis-cli/usage.h"

namespace anubis::cli {

// As typed.
struct TypedIdentity {
  std::string config = "/etc/anubis/anubis.toml";
  std::string endpoint;
  std::vector<std::string> addresses;
  std::vector<std::string> allowed_ips;
  InitOptions init;
  CardOptions card;
  TrustOptions trust;
  InviteOptions invite;
  std::vector<std::string> through;
  std::string valid_for = "1h";
  JoinOptions join;
  std::string timeout = "20s";
  RevokeOptions revoke;
};

void add_identity_commands(CLI::App& app, TypedIdentity& typed);

// None: COMMAND is none of these. Throws UsageError.
[[nodiscard]] std::optional<Command> identity_command(const std::string& command, TypedIdentity& typed);

}  // namespace anubis::cli

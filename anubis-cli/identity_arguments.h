// The command lines of those commands that write this host's configuration: init, card, trust.
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
};

void add_identity_commands(CLI::App& app, TypedIdentity& typed);

// None: COMMAND is none of these. Throws UsageError.
[[nodiscard]] std::optional<Command> identity_command(const std::string& command, TypedIdentity& typed);

}  // namespace anubis::cli

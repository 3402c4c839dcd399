// The command lines of those commands that write for WireGuard's own programs, or read what was written for them:
// import, export, provision. Internal to arguments.cc.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "anubis-cli/arguments.h"
#include "anubis-cli/usage.h"

namespace anubis::cli {

// As typed.
struct TypedInterop {
  std::string config = "/etc/anubis/anubis.toml";
  ImportOptions import_file;
  ExportOptions export_peer;
  ProvisionOptions provision;
  std::vector<std::string> addresses;
  std::string side_address;
  std::vector<std::string> reaches;
  std::string endpoint;
  std::string side_endpoint;
  std::vector<std::string> dns;
  std::string lease;
};

void add_interop_commands(CLI::App& app, TypedInterop& typed);

// None: COMMAND is none of these. Throws UsageError.
[[nodiscard]] std::optional<Command> interop_command(const std::string& command, TypedInterop& typed);

}  // namespace anubis::cli

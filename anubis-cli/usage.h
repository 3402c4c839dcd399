// What the files share that describe the command line to CLI11. Internal to arguments.cc and its like.
#pragma once

#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace anubis::cli {

// A mistake that CLI11 does not see. Thrown there and caught in parse_arguments(), beside CLI11's own.
struct UsageError {
  std::string message;
};

CLI::App* add_command(CLI::App& app, const char* name, const char* description, const char* footer);

// The option --config, with its default, $ANUBIS_CONFIG else /etc/anubis/anubis.toml, in CONFIG.
void add_config(CLI::App* command, std::string& config);

// UsageError unless a peer can be called that: "" is fine for check_name().
void check_name(const std::string& name);
void require_name(const std::string& name);

}  // namespace anubis::cli

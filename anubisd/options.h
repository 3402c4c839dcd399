// The command line of anubisd.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "lib/base/log.h"

namespace anubis::daemon {

struct Options {
  std::string config_file = "/etc/anubis/anubis.toml";
  std::optional<std::string> socket;
  std::string state_directory = "/var/lib/anubis";
  std::optional<std::string> netd;         // the program to start; none: the one beside ours
  std::optional<std::string> netd_socket;  // where to connect to one instead
  std::string user = "anubis";             // whom to become when root starts it
  bool check_config = false;
  base::log::Level log_level = base::log::Level::kInfo;
};

struct ExitWith {
  int status = 0;
};

// Prints help, version or what is wrong, and says how to end, or gives the options.
[[nodiscard]] std::variant<Options, ExitWith> parse_options(int argc, const char* const* argv);

}  // namespace anubis::daemon

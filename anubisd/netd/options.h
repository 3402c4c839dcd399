// The command line of anubis-netd, which only anubisd and systemd write.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "lib/base/log.h"

namespace anubis::netd {

struct Options {
  std::string config_file = "/etc/anubis/anubis.toml";
  std::string user = "anubis";  // who may connect, besides root, where systemd hands us the socket
  bool inherited_channel = false;
  std::vector<std::string> launcher;  // two interfaces: be the launcher of launcher.h for them
  base::log::Level log_level = base::log::Level::kInfo;
};

struct ExitWith {
  int status = 0;
};

// Prints help, version or what is wrong, and says how to end, or gives the options.
[[nodiscard]] std::variant<Options, ExitWith> parse_options(int argc, const char* const* argv);

}  // namespace anubis::netd

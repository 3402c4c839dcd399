// What NetworkManager has active, asked over the system's D-Bus.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace anubis::cli {

struct ActiveConnection {
  std::string name;
  std::string uuid;
};

// None: it could not be asked within that time. Where there is no NetworkManager, or none that runs, nothing is active;
// asking does not start it. About as long as `patience` at most.
[[nodiscard]] std::optional<std::vector<ActiveConnection>> active_connections(std::chrono::milliseconds patience);

}  // namespace anubis::cli

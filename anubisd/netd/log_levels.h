// --log-level of both programs.
#pragma once

#include <map>
#include <string>

#include "lib/base/log.h"

namespace anubis::netd {

inline const std::map<std::string, base::log::Level> kLogLevels{{"debug", base::log::Level::kDebug},
                                                                {"info", base::log::Level::kInfo},
                                                                {"warning", base::log::Level::kWarning},
                                                                {"error", base::log::Level::kError}};

[[nodiscard]] inline std::string name_of(base::log::Level level) {
  for (const auto& [name, each] : kLogLevels) {
    if (each == level) return name;
  }
  return "info";
}

}  // namespace anubis::netd

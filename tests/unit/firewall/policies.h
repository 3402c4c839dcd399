// Policies for tests.
#pragma once

#include <string_view>

#include "firewall/policy.h"

namespace anubis::firewall {

inline model::IpPrefix prefix(std::string_view text) { return model::IpPrefix::parse(text).value(); }
inline model::IpAddress ip(std::string_view text) { return model::IpAddress::parse(text).value(); }

inline Policy simple() {
  return {.production_interface = "wg0",
          .side_interface = "anubis0",
          .production_port = 4296,
          .side_port = 4297,
          .service_port = 4298,
          .side_address = ip("fd77::1"),
          .side_ranges = {prefix("fd77::/16")}};
}

}  // namespace anubis::firewall

// What netd tells of the firewall, as it travels in parts through the channel (protocol.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "anubisd/netd/netd.h"
#include "anubisd/netd/protocol.h"

namespace anubis::netd {

[[nodiscard]] std::vector<Part> parts_of(std::string_view bytes);
[[nodiscard]] std::string joined(const std::vector<Part>& parts);

[[nodiscard]] std::string encode(const FirewallReport& report);
// kInternal: that is none.
[[nodiscard]] base::Result<FirewallReport> decode_firewall_report(const std::string& bytes);

}  // namespace anubis::netd

// Hosts as hosts(5) has them. Pure.
#pragma once

#include <string>
#include <vector>

#include "control.pb.h"

namespace anubis::cli {

// A comment, then a line an address, as the hosts come; fit to be appended to /etc/hosts.
[[nodiscard]] std::vector<std::string> hosts_lines(const std::vector<control::NamedHost>& hosts);

}  // namespace anubis::cli

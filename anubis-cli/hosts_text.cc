#include "anubis-cli/hosts_text.h"

#include <algorithm>

#include "anubis-cli/text.h"

namespace anubis::cli {

std::vector<std::string> hosts_lines(const std::vector<control::NamedHost>& hosts) {
  std::size_t width = 0;
  for (const auto& host : hosts) {
    for (const auto& address : host.lan_addresses()) width = std::max(width, address.size());
    for (const auto& address : host.addresses()) width = std::max(width, address.size());
  }
  constexpr std::size_t kGap = 2;
  std::vector<std::string> lines{
      "# Hosts by the configuration of Anubis, from: anubis hosts",
      "# NAME goes directly, NAMEwg goes through WireGuard.",
  };
  const auto add = [&](const std::string& address, const std::string& name) {
    const std::size_t padding = width + kGap - std::min(width, address.size());
    lines.push_back(printable(address) + std::string(padding, ' ') + printable(name));
  };
  for (const auto& host : hosts) {
    for (const auto& address : host.lan_addresses()) add(address, host.name());
    for (const auto& address : host.addresses()) add(address, host.wireguard_name());
  }
  return lines;
}

}  // namespace anubis::cli

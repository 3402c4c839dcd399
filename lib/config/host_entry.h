// A [[host]] as it stands in a file, and the addresses by which any host is named. Internal to lib/config.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/config/document.h"
#include "lib/config/report.h"
#include "lib/config/section.h"
#include "lib/model/host.h"
#include "lib/model/ip.h"

namespace anubis::config {

// A host that is no peer: a printer, say.
struct HostEntry {
  model::Host host;
  std::uint32_t number = 0;      // within its file, from 1
  std::optional<Place> name;     // none: not to be compared with others
  std::vector<Place> addresses;  // as many as in host
  std::vector<Place> lan_addresses;

  // "host[2].name"
  [[nodiscard]] std::string key_path(std::string_view key) const;
};

[[nodiscard]] HostEntry read_host(const Table& table, std::uint32_t number, const model::IpPrefix& side_prefix,
                                  Report& report);

// The addresses under this key that a host can be named for, and where they stand.
void read_host_addresses(Section& section, std::string_view key, const model::IpPrefix& side_prefix,
                         std::vector<model::IpAddress>& addresses, std::vector<Place>& places);

// Whether a single host can be known by it, everywhere in the network.
[[nodiscard]] bool can_name_a_host(const model::IpAddress& address);

}  // namespace anubis::config

// What a host's links show of the network that they lead to: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lib/model/ip.h"
#include "lib/model/mac_address.h"

namespace anubis::model {

enum class SightingKind : std::uint8_t {
  kAddress,       // a link that carries packets has this address, which reaches beyond the link
  kDefaultRoute,  // a default route leads through this link
};

struct Sighting {
  SightingKind kind{};
  std::string link;  // its name
  // Other hosts can stand behind the link: it is hardware or made like it. A bridge, a dummy or a tunnel is not.
  bool is_uplink = false;
  std::optional<IpAddress> address;  // of a default route the gateway's, where it has one
  // Of the gateway, as far as it is known now.
  std::optional<MacAddress> mac;
  bool is_resolving = false;  // the gateway has one that is not known yet

  bool operator==(const Sighting&) const = default;
};

}  // namespace anubis::model

// What the firewall is to do, as a plain value. docs/decisions/0017-firewall.md says why.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/model/ip.h"

namespace anubis::firewall {

struct Policy {
  std::string production_interface;
  std::string side_interface;
  std::uint16_t production_port = 0;  // of bearer packets
  std::uint16_t side_port = 0;        // of bearer packets
  std::uint16_t service_port = 0;     // inside the side tunnel
  std::uint16_t companion_port = 0;   // TCP, the same; 0: closed
  model::IpAddress side_address;
  std::vector<model::IpPrefix> side_ranges;   // where the side peers' addresses are
  std::vector<std::uint16_t> also_listen;     // further numbers of both bearer ports
  std::vector<model::IpPrefix> production;    // where packets of the peers that are up may come from
  std::vector<model::IpPrefix> throw_ranges;  // kept out of WireGuard
  std::vector<model::IpPrefix> never_clear;   // where packets go through the production interface or not at all
  // What leaves by another interface than ours with such a source gets another one.
  std::vector<model::IpPrefix> masquerade;
  std::vector<model::IpAddress> snat_to;  // one of a family at most; none: the address of the interface it leaves by

  bool operator==(const Policy&) const = default;
};

}  // namespace anubis::firewall

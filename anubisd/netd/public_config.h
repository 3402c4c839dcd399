// What the network process may know of the host's configuration: no secret, and nothing that anubis-netd alone needs.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/crypto/keys.h"
#include "lib/crypto/suites.h"
#include "lib/model/host.h"
#include "lib/model/ip.h"
#include "lib/model/metrics.h"
#include "lib/roaming/home.h"

namespace anubis::netd {

struct PublicConfig {
  struct Production {
    std::string interface;
    crypto::ProductionPublicKey public_key;
    std::uint16_t listen_port = 0;
    std::vector<model::IpPrefix> throw_ranges;
    std::vector<model::IpPrefix> direct_ranges;
  };
  struct Side {
    std::string interface;
    crypto::SidePublicKey public_key;
    std::uint16_t service_port = 0;
    model::IpAddress address;
  };
  struct Control {
    std::filesystem::path socket;
    std::string group;
    base::Duration stop_timeout = std::chrono::seconds(2);
  };

  std::string name;   // what peers' displays call this host
  std::string group;  // of which it is a server; may be empty
  // That it allows, and its hardware has; never none, in no order.
  std::vector<crypto::Suite> suites{crypto::Suite::kXChaCha20Poly1305};
  Production production;
  Side side;
  std::uint16_t companion_port = 0;  // of the companion page, at the side address; 0: there is none
  Control control;
  roaming::Settings roaming;
  model::Metrics metrics;
  model::Hosts hosts;
};

}  // namespace anubis::netd

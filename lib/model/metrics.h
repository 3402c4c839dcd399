// What is told to those who watch a host by numbers (Prometheus).
#pragma once

#include <cstdint>
#include <optional>

#include "lib/model/endpoint.h"

namespace anubis::model {

struct Metrics {
  std::optional<Endpoint> listen;  // of the loopback interface; none: nobody is told
  std::uint32_t max_peers = 1000;  // authorised ones; with more of them there are no numbers for each
  bool operator==(const Metrics&) const = default;
};

}  // namespace anubis::model

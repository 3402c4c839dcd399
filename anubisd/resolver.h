// Host names to addresses, without blocking the loop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "anubisd/background.h"
#include "lib/base/result.h"
#include "lib/model/ip.h"

namespace anubis::daemon {

class Resolver {
 public:
  // reaches: whether what bears our tunnels has a way to an address. The system's own preference knows only where other
  // packets go: into a tunnel, maybe the one whose endpoint is asked for.
  using Reaches = std::function<bool(const model::IpAddress&)>;
  Resolver(Loop& loop, Reaches reaches);

  using Answer = std::function<void(base::Result<model::IpAddress>)>;
  // Of the addresses that are reached, or of all if none is, the one that the system prefers. Answers on the loop,
  // never before this returns. An error's sentence names the host.
  void resolve(const std::string& host, Urgency urgency, Answer answer);

 private:
  [[nodiscard]] model::IpAddress choose(const std::vector<model::IpAddress>& addresses) const;

  Reaches reaches_;
  Background background_;
};

}  // namespace anubis::daemon

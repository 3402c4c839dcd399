// Host names to addresses, without blocking the loop.
#pragma once

#include <functional>
#include <string>

#include "anubisd/background.h"
#include "lib/base/result.h"
#include "lib/model/ip.h"

namespace anubis::daemon {

class Resolver {
 public:
  explicit Resolver(Loop& loop);

  using Answer = std::function<void(base::Result<model::IpAddress>)>;
  // The address that the system prefers of those that it can reach. Answers on the loop, never before this returns. An
  // error's sentence names the host.
  void resolve(const std::string& host, Urgency urgency, Answer answer);

 private:
  Background background_;
};

}  // namespace anubis::daemon

// Which way a packet of this host's own takes, and why: for those who explain it. Reading needs no privilege.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/result.h"
#include "lib/model/ip.h"
#include "lib/network/rtnetlink_network.h"
#include "lib/network/transaction.h"

namespace anubis::network {

struct Way {
  std::string interface;
  std::uint32_t mtu = 0;  // of the interface
  std::uint32_t table = 0;
  std::optional<model::IpPrefix> prefix;  // of the route that matches best; none: the kernel does not tell
  std::optional<model::IpAddress> gateway;
  std::optional<model::IpAddress> source;
  std::optional<std::uint32_t> rule_priority;  // of the rule that leads to the table; none: it cannot be told which
};

class WayFinder {
 public:
  // In the network namespace of the calling thread, for good.
  static base::Result<WayFinder> create();

  // For packets of this IP protocol. kUnreachable: there is none.
  [[nodiscard]] base::Result<Way> way_to(const model::IpAddress& destination, std::uint8_t ip_protocol);

 private:
  WayFinder(std::unique_ptr<RtnetlinkNetwork> network, Transactor transactor)
      : network_(std::move(network)), transactor_(std::move(transactor)) {}

  [[nodiscard]] std::optional<model::IpPrefix> matching_prefix(const RouteQuery& query);
  [[nodiscard]] std::optional<std::uint32_t> leading_rule(const RouteQuery& query, const Way& way);

  std::unique_ptr<RtnetlinkNetwork> network_;
  Transactor transactor_;
};

}  // namespace anubis::network

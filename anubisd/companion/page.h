// The companion page: what a phone's browser gets of this host, and the way of its messages to the gate
// (docs/protocol.md, 9.7).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "anubisd/http/server.h"
#include "lib/model/endpoint.h"
#include "lib/wire/message.h"

namespace anubis::daemon {

class CompanionPage {
 public:
  // A message from that side address, and the answer to it; none: it is dropped.
  using Ask = std::function<std::optional<wire::Datagram>(std::span<const std::uint8_t>, const model::IpAddress&)>;

  // Serves at that address, which must be on the side interface: that alone says whose browser it is.
  CompanionPage(Loop& loop, const model::Endpoint& address, std::string interface, Ask ask);

  // The side interface was made anew.
  void restart() { server_.restart(); }

 private:
  [[nodiscard]] http::Response answer(const http::Request& request) const;

  const Ask ask_;
  http::Server server_;
};

}  // namespace anubis::daemon

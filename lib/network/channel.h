// A netlink socket, as thin as can be: behind an interface so that its bad days (lost answers, interruptions, overruns)
// can be played in tests.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <tl/expected.hpp>

#include "lib/base/result.h"

namespace anubis::network {

class Channel {
 public:
  struct Received {
    std::size_t size = 0;
    bool truncated = false;    // the datagram was longer than the buffer; its end is lost
    std::uint32_t sender = 0;  // port; 0 is the kernel
  };

  virtual ~Channel() = default;
  // An errno; 0: sent whole.
  [[nodiscard]] virtual int send(std::span<const std::uint8_t> bytes) = 0;
  // Or an errno; ETIMEDOUT: nothing came in time.
  [[nodiscard]] virtual tl::expected<Received, int> receive(std::span<std::uint8_t> buffer,
                                                            std::chrono::milliseconds timeout) = 0;
  [[nodiscard]] virtual int fd() const = 0;
  [[nodiscard]] virtual std::uint32_t port() const = 0;
};

// A NETLINK_ROUTE socket of this thread's network namespace, subscribed to these groups (RTNLGRP_…).
[[nodiscard]] base::Result<std::unique_ptr<Channel>> open_route_channel(std::span<const int> groups = {});

}  // namespace anubis::network

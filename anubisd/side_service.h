// The UDP socket between side addresses. Datagrams come and go in batches, by recvmmsg and sendmmsg on the descriptor
// itself: twice as fast as Asio's own receive and send. What they say is no business of this file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "anubisd/loop.h"
#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/model/endpoint.h"
#include "lib/wire/message.h"

namespace anubis::daemon {

class SideService {
 public:
  struct Settings {
    model::IpAddress address;  // ours
    std::uint16_t port = 0;    // 0: any
    std::string interface;     // bound to it; empty: not bound
    // Beyond what the system allows everybody; empty: not needed.
    std::function<base::Status(int socket)> widen_receive_buffer = {};
  };

  // A datagram and the inner address and port that it came from. Longer ones than wire::kMaxDatagramSize come cut to
  // one byte more.
  struct Received {
    std::span<const std::uint8_t> bytes;
    model::Endpoint source;
  };

  class Handler {
   public:
    virtual ~Handler() = default;
    // The bytes are gone when it returns. What it gives to send() goes out right afterwards, together.
    virtual void receive(std::span<const Received> batch) = 0;
  };

  struct Counters {
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    std::uint64_t not_sent = 0;  // the socket was full, or the side interface knows no way
  };

  // The handler must outlive the service. Datagrams are handed over from the loop, not from here.
  static base::Result<std::unique_ptr<SideService>> create(Loop& loop, const Settings& settings, Handler& handler);
  SideService(const SideService&) = delete;
  SideService& operator=(const SideService&) = delete;
  ~SideService();

  // Longer than wire::kMaxDatagramSize is not sent, and counted. Goes out with flush(), or at the end of the batch that
  // is being received.
  void send(const model::Endpoint& to, std::span<const std::uint8_t> bytes);
  // As UDP does: what cannot be sent now is dropped, and counted.
  void flush();

  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  struct Incoming;
  struct Outgoing;

  SideService(Loop& loop, base::Fd fd, std::uint16_t port, Handler& handler);
  void wait();
  void drain();

  base::Fd fd_;
  std::uint16_t port_;
  Handler& handler_;
  std::unique_ptr<Incoming> incoming_;
  std::unique_ptr<Outgoing> outgoing_;
  Counters counters_;
  Watch watch_;
};

}  // namespace anubis::daemon

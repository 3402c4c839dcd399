// Asking the kernel: one request, and its answer read to the end. What can go wrong with netlink on the way is sorted
// here into six endings, so that nothing is ever taken for done that is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <tl/expected.hpp>

#include "lib/wireguard/netlink_message.h"

namespace anubis::wireguard {

// The socket, narrow enough to be played by a test.
class NetlinkPort {
 public:
  virtual ~NetlinkPort() = default;
  // 0 or an errno.
  virtual int send(std::span<const std::uint8_t> message) = 0;
  struct Received {
    std::size_t size = 0;
    int error = 0;  // an errno; ENOSPC: the buffer was too small and the end is lost
  };
  virtual Received receive(std::span<std::uint8_t> buffer) = 0;
};

// The error is an errno.
using OpenedPort = tl::expected<std::unique_ptr<NetlinkPort>, int>;
using NetlinkPortFactory = std::function<OpenedPort()>;

// A generic netlink socket through libmnl, with large buffers; receiving gives up after 5 s (EAGAIN).
OpenedPort open_generic_netlink();

enum class Ending {
  kDone,         // acknowledged, or dumped to the end
  kStopped,      // the reader had enough
  kRejected,     // the kernel says `error`
  kInterrupted,  // the dump is inconsistent: what it lists changed meanwhile (NLM_F_DUMP_INTR)
  kLost,         // the socket overran, or a message was cut: an answer is lost (ENOBUFS, MSG_TRUNC)
  kFailed,       // the socket failed with `error`, or the answer cannot be understood (EBADMSG)
};

struct Answer {
  Ending ending = Ending::kDone;
  int error = 0;
};

enum class Reading { kOn, kStop, kMalformed };

class NetlinkConnection {
 public:
  explicit NetlinkConnection(NetlinkPortFactory factory) : factory_(std::move(factory)) {}

  // Sends the request once (a send that the kernel did not take is repeated) and gives the attributes of each message
  // of the answer to `read`, which may be empty. After any ending but kDone and kRejected the socket is replaced,
  // so that nothing that is still under way can be taken for the answer to the next request.
  Answer ask(Message& request, const std::function<Reading(std::span<const std::uint8_t>)>& read);

 private:
  Answer read_answer(std::uint32_t sequence, const std::function<Reading(std::span<const std::uint8_t>)>& read);

  NetlinkPortFactory factory_;
  std::unique_ptr<NetlinkPort> port_;
  std::vector<std::uint8_t> buffer_;
  std::uint32_t sequence_ = 0;
};

}  // namespace anubis::wireguard

// A netlink socket to nf_tables. What can go wrong on the way (interrupted calls, dumps that changed meanwhile) is
// dealt with here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/model/ip.h"

struct mnl_socket;

namespace anubis::firewall {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// One message of the kernel's.
struct Message {
  std::uint8_t type = 0;    // NFT_MSG_…
  std::uint8_t family = 0;  // NFPROTO_…
  std::uint32_t port = 0;   // of whoever caused it
  ByteView attributes;
};

class Netlink {
 public:
  enum class Events { kNo, kYes };  // whether it hears of what others change, and is used for nothing else

  // kUnsupported: this kernel has no nftables.
  static base::Result<Netlink> open(Events events);

  using Visit = std::function<void(const Message&)>;
  // A dump of that type (NFT_MSG_GET…) and family, narrowed by attributes. begin() comes first, and again whenever it
  // has to be taken anew.
  base::Status dump(std::uint8_t type, std::uint8_t family, ByteView attributes, const std::function<void()>& begin,
                    const Visit& visit);

  // All of them, or none. Each is a whole netlink message, see message.h.
  base::Status transact(std::span<const Bytes> messages, std::string_view what);

  // What others told of; never blocks. False: some of it was lost.
  bool drain(const Visit& visit);

  [[nodiscard]] int fd() const;
  [[nodiscard]] std::uint32_t port() const;

 private:
  struct Close {
    void operator()(mnl_socket* socket) const;
  };
  explicit Netlink(std::unique_ptr<mnl_socket, Close> socket) : socket_(std::move(socket)) {}

  // An errno; the messages of one datagram.
  int receive(std::uint32_t sequence, const std::function<int(const void*)>& each, bool& done);
  base::Status dump_once(std::uint8_t type, std::uint8_t family, ByteView attributes, const Visit& visit, bool& again);

  std::unique_ptr<mnl_socket, Close> socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace anubis::firewall

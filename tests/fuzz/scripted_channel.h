// A netlink socket whose other end is the fuzzer.
#pragma once

#include <cerrno>
#include <cstring>

#include <linux/netlink.h>

#include "lib/network/channel.h"
#include "tests/fuzz/fuzz.h"

namespace anubis::fuzz {

// Each receive() takes from the input: a byte that says what happens, then, if that is a datagram, a block.
class ScriptedChannel final : public network::Channel {
 public:
  explicit ScriptedChannel(Reader& script) : script_(script) {}

  int send(std::span<const std::uint8_t> bytes) override {
    if (bytes.size() >= sizeof(nlmsghdr)) std::memcpy(&last_, bytes.data(), sizeof last_);
    const std::uint8_t what = script_.byte();
    return what < 0xf0 ? 0 : kErrors[what % std::size(kErrors)];
  }

  tl::expected<Received, int> receive(std::span<std::uint8_t> buffer, std::chrono::milliseconds) override {
    if (script_.at_end()) return tl::make_unexpected(ETIMEDOUT);
    const std::uint8_t what = script_.byte();
    if (what >= 0xf0) return tl::make_unexpected(kErrors[what % std::size(kErrors)]);
    const Bytes datagram = script_.block();
    const std::size_t size = std::min(buffer.size(), datagram.size());
    std::copy_n(datagram.begin(), size, buffer.begin());
    // The sequence number that is asked for cannot be guessed: here it is.
    if ((what & 1) == 0 && size >= sizeof last_) {
      std::memcpy(buffer.data() + offsetof(nlmsghdr, nlmsg_seq), &last_.nlmsg_seq, sizeof last_.nlmsg_seq);
    }
    return Received{size, (what & 2) != 0 || size < datagram.size(), (what & 4) != 0 ? 4711u : 0u};
  }

  int fd() const override { return -1; }
  std::uint32_t port() const override { return 17; }

 private:
  static constexpr int kErrors[] = {EINTR, EAGAIN, ENOBUFS, ENOMEM, EBADF, EMSGSIZE};

  Reader& script_;
  nlmsghdr last_{};  // the header of the last request, the first of its message
};

}  // namespace anubis::fuzz

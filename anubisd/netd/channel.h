// One end of the Unix socket between anubisd and anubis-netd (SOCK_SEQPACKET): datagrams, in order, with descriptors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "lib/base/fd.h"
#include "lib/base/result.h"

namespace anubis::netd {

// A message does not carry more.
constexpr std::size_t kMaxDescriptors = 4;

class Channel {
 public:
  struct Received {
    std::size_t size = 0;  // 0: the other end has gone
    std::vector<base::Fd> descriptors;
  };

  explicit Channel(base::Fd fd) : fd_(std::move(fd)) {}

  // Both ends, close-on-exec.
  static base::Result<std::pair<Channel, Channel>> create_pair();

  // Both block. kInvalid: the message has not exactly the buffer's size, or more descriptors than kMaxDescriptors.
  base::Status send(std::span<const std::uint8_t> bytes, std::span<const int> descriptors = {});
  base::Result<Received> receive(std::span<std::uint8_t> buffer);

  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  base::Fd fd_;
};

}  // namespace anubis::netd

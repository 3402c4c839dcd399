// The frames of the control socket: 4 bytes of length, big-endian, then that many bytes. Pure: bytes in, frames out.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace anubis::cli {

// Far above the longest message that anubisd sends; a longer one means that something else speaks.
constexpr std::size_t kMaxFrame = std::size_t{16} << 20;

// BODY with its length in front.
[[nodiscard]] std::string frame(std::string_view body);

class FrameReader {
 public:
  // Takes what has arrived. Invalidates what next() returned.
  void feed(std::string_view bytes);

  // The body of the next whole frame; nothing when more bytes are needed, or when oversized().
  [[nodiscard]] std::optional<std::string_view> next();

  // The next frame claims more than kMaxFrame: the stream is of no use any more.
  [[nodiscard]] bool oversized() const;
  // Bytes of an unfinished frame are waiting.
  [[nodiscard]] bool pending() const { return position_ < buffer_.size(); }

 private:
  [[nodiscard]] std::optional<std::size_t> announced() const;

  std::string buffer_;
  std::size_t position_ = 0;  // what stands before it has been returned
};

}  // namespace anubis::cli

// The frames of the control socket: 4 bytes of length, big-endian, then that many bytes. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <control.pb.h>

namespace anubis::daemon {

constexpr std::size_t kFrameHeaderSize = 4;
// A command is a name and some numbers.
constexpr std::size_t kMaxCommandSize = std::size_t{64} << 10;

// The size of the body that the bytes of a header announce. bytes.size() ≥ kFrameHeaderSize.
[[nodiscard]] std::size_t announced_size(std::string_view bytes);

// The response with its length in front, appended to `out`.
void append_frame(const control::Response& response, std::string& out);

}  // namespace anubis::daemon

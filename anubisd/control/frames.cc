#include "anubisd/control/frames.h"

#include <cstdint>

namespace anubis::daemon {

std::size_t announced_size(std::string_view bytes) {
  std::size_t size = 0;
  for (const char byte : bytes.substr(0, kFrameHeaderSize)) size = size << 8 | static_cast<unsigned char>(byte);
  return size;
}

void append_frame(const control::Response& response, std::string& out) {
  const std::size_t size = response.ByteSizeLong();
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(size >> shift & 0xff));
  response.AppendToString(&out);
}

}  // namespace anubis::daemon

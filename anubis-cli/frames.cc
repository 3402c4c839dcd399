#include "anubis-cli/frames.h"

namespace anubis::cli {
namespace {

constexpr std::size_t kHeader = 4;

}  // namespace

std::string frame(std::string_view body) {
  std::string out;
  out.reserve(kHeader + body.size());
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>((body.size() >> shift) & 0xff));
  return out.append(body);
}

void FrameReader::feed(std::string_view bytes) {
  buffer_.erase(0, position_);
  position_ = 0;
  buffer_.append(bytes);
}

std::optional<std::size_t> FrameReader::announced() const {
  if (buffer_.size() - position_ < kHeader) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 0; i < kHeader; ++i) size = size << 8 | static_cast<unsigned char>(buffer_[position_ + i]);
  return size;
}

bool FrameReader::oversized() const {
  const auto size = announced();
  return size && *size > kMaxFrame;
}

std::optional<std::string_view> FrameReader::next() {
  const auto size = announced();
  if (!size || *size > kMaxFrame || buffer_.size() - position_ - kHeader < *size) return std::nullopt;
  const auto body = std::string_view(buffer_).substr(position_ + kHeader, *size);
  position_ += kHeader + *size;
  return body;
}

}  // namespace anubis::cli

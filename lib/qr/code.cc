#include "lib/qr/code.h"

#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <qrencode.h>
#include <string.h>

namespace anubis::qr {
namespace {

using base::ErrorCode;
using base::fail;

struct Free {
  void operator()(QRcode* code) const {
    explicit_bzero(code->data, static_cast<std::size_t>(code->width) * static_cast<std::size_t>(code->width));
    QRcode_free(code);
  }
};
using Encoded = std::unique_ptr<QRcode, Free>;

QRecLevel level_of(Level level) {
  switch (level) {
    case Level::kLow:
      return QR_ECLEVEL_L;
    case Level::kMedium:
      return QR_ECLEVEL_M;
    case Level::kQuartile:
      return QR_ECLEVEL_Q;
    case Level::kHigh:
      break;
  }
  return QR_ECLEVEL_H;
}

// Null, with errno, when it does not fit.
Encoded encode(std::string_view text, Level level) {
  constexpr int kSmallestVersion = 0;
  return Encoded(QRcode_encodeData(static_cast<int>(text.size()), reinterpret_cast<const unsigned char*>(text.data()),
                                   kSmallestVersion, level_of(level)));
}

}  // namespace

base::Result<Code> Code::create(std::string_view text) {
  if (text.empty()) return fail(ErrorCode::kInvalid, "there is nothing to put into a QR code");
  if (text.size() > kMaxBytes) {
    return fail(ErrorCode::kFull,
                fmt::format("{} bytes are too many for a QR code, which holds at most {}", text.size(), kMaxBytes));
  }
  Encoded chosen = encode(text, Level::kLow);
  if (!chosen) return base::fail_errno(errno, "cannot make a QR code");
  Level level = Level::kLow;
  for (const Level higher : {Level::kHigh, Level::kQuartile, Level::kMedium}) {
    Encoded other = encode(text, higher);
    if (!other || other->width != chosen->width) continue;
    chosen = std::move(other);
    level = higher;
    break;
  }
  const auto size = static_cast<std::size_t>(chosen->width);
  base::WipedBytes modules(size * size);
  constexpr unsigned char kDark = 1;  // the other bits tell what the module serves for
  for (std::size_t i = 0; i < modules.size(); ++i) modules[i] = chosen->data[i] & kDark;
  return Code(std::move(modules), size, level);
}

bool Code::is_dark(std::size_t column, std::size_t row) const {
  if (column < kQuietZone || row < kQuietZone || column >= kQuietZone + size_ || row >= kQuietZone + size_)
    return false;
  return modules_[(row - kQuietZone) * size_ + column - kQuietZone] != 0;
}

}  // namespace anubis::qr

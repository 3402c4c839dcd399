#include "lib/base/text.h"

#include <cstdint>

namespace anubis::base {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t position) {
  return position < text.size() ? static_cast<std::uint8_t>(text[position]) : std::uint8_t{0};
}

}  // namespace

// The ranges are those of RFC 3629, section 4, which leave out overlong forms and surrogates.
std::size_t printable_size(std::string_view text) {
  const std::uint8_t first = byte_at(text, 0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  if (first < 0xc2 || first > 0xf4) return 0;
  const std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  std::uint8_t least = 0x80;
  std::uint8_t most = 0xbf;
  if (first == 0xc2) least = 0xa0;  // U+0080 to U+009F are control characters
  if (first == 0xe0) least = 0xa0;
  if (first == 0xed) most = 0x9f;
  if (first == 0xf0) least = 0x90;
  if (first == 0xf4) most = 0x8f;
  if (byte_at(text, 1) < least || byte_at(text, 1) > most) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((byte_at(text, i) & 0xc0) != 0x80) return 0;
  }
  return size;
}

}  // namespace anubis::base

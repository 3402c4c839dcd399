#include "lib/wire/text.h"

#include "lib/base/text.h"

namespace anubis::wire {

std::string printable(std::string_view text, std::size_t max_size) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = base::printable_size(text);
    const std::string_view character = size != 0 ? text.substr(0, size) : "?";
    if (out.size() + character.size() > max_size) break;
    out += character;
    text.remove_prefix(size != 0 ? size : 1);
  }
  return out;
}

}  // namespace anubis::wire

// Files of wg-quick. What was read is written and read again as the same.
#include "lib/config/wg_quick.h"

#include "tests/fuzz/fuzz.h"

namespace anubis::fuzz {

void wg_quick(Bytes input) {
  crypto::initialise();
  const auto file = config::parse_wg_quick(as_text(input), "wg0.conf");
  if (!file) return require(!file.error().message.empty(), "an error has a text");
  const auto text = config::format_wg_quick(*file);
  const auto again = config::parse_wg_quick(text.view(), "wg0.conf");
  require(again.has_value(), "what was written can be read");
  require(config::format_wg_quick(*again).view() == text.view(), "what was written is read as the same");
}

}  // namespace anubis::fuzz

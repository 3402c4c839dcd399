// Cards, as they come by mail. What was read is written and read again as the same.
#include "lib/identity/card.h"

#include "tests/fuzz/fuzz.h"

namespace anubis::fuzz {

void card(Bytes input) {
  crypto::initialise();
  const auto card = identity::parse_card(as_text(input));
  if (!card) return require(!card.error().message.empty(), "an error has a text");
  const auto again = identity::parse_card(identity::format_card(*card));
  require(again.has_value(), "what was written can be read");
  require(*again == *card, "what was written is read as the same");
}

}  // namespace anubis::fuzz

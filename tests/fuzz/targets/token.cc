// Invitations, as they come by mail; and with a checksum that fits, as one who makes them up would send them.
#include "lib/identity/token.h"

#include "lib/crypto/digest.h"
#include "lib/identity/base32.h"
#include "tests/fuzz/fuzz.h"

namespace anubis::fuzz {
namespace {

void read(std::string_view text) {
  const auto token = identity::parse_token(text);
  if (!token) return require(!token.error().message.empty(), "an error has a text");
  const auto written = identity::format_token(*token);
  const auto again = identity::parse_token(written.view());
  require(again.has_value(), "what was written can be read");
  require(identity::format_token(*again).view() == written.view(), "what was written is read as the same");
}

}  // namespace

void token(Bytes input) {
  crypto::initialise();
  read(as_text(input));
  std::vector<std::uint8_t> fields(input.begin(), input.end());
  const auto digest = crypto::digest(fields);
  fields.insert(fields.end(), digest.begin(), digest.begin() + 8);
  read("anubis-invitation-" + identity::to_base32(fields));
}

}  // namespace anubis::fuzz

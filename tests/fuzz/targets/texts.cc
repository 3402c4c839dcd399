// The small texts that stand in configurations and commands: keys, addresses, prefixes, endpoints, durations.
#include <string>
#include <string_view>

#include "lib/base/duration.h"
#include "lib/crypto/keys.h"
#include "lib/model/endpoint.h"
#include "lib/model/ip.h"
#include "lib/wire/text.h"
#include "tests/fuzz/fuzz.h"

namespace anubis::fuzz {
namespace {

// What was read is written and read again as the same.
template <class T>
void round_trip(std::string_view text) {
  const auto value = T::parse(text);
  if (!value) return require(!value.error().message.empty(), "an error has a text");
  const auto again = T::parse(value->to_string());
  require(again.has_value() && *again == *value, "what was written is read as the same");
}

void keys(std::string_view text) {
  if (const auto key = crypto::parse_public_key(text)) {
    require(key->to_base64() == text, "a public key has one text");
    require(!crypto::has_small_order(*key), "no point of small order is taken");
  }
  if (const auto secret = crypto::parse_secret(text)) {
    const auto written = crypto::format_secret(secret->view());
    require(as_text(written.view()) == text, "a private key has one text");
  }
}

void durations(std::string_view text) {
  const auto duration = base::parse_duration(text);
  if (!duration) return;
  require(*duration >= base::Duration::zero() && *duration <= base::kMaxDuration, "a duration is within its bounds");
  require(!base::format_duration(*duration).empty(), "a duration can be shown");
}

void sentences(std::string_view text) {
  constexpr std::size_t kMax = 40;
  const std::string safe = wire::printable(text, kMax);
  require(safe.size() <= kMax, "a sentence is cut");
  require(wire::printable(safe, kMax) == safe, "a safe sentence stays as it is");
  require(std::ranges::none_of(safe, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }),
          "no control character passes");
}

}  // namespace

void texts(Bytes input) {
  crypto::initialise();
  const std::string_view text = as_text(input);
  round_trip<model::IpAddress>(text);
  round_trip<model::IpPrefix>(text);
  round_trip<model::InterfaceAddress>(text);
  round_trip<model::HostPort>(text);
  keys(text);
  durations(text);
  sentences(text);
}

}  // namespace anubis::fuzz

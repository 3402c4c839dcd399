// What a userspace WireGuard answers. It may come in any pieces; what was read can be told to a device in the same
// words.
#include "lib/wireguard/uapi.h"

#include <string>
#include <vector>

#include "tests/fuzz/device_collector.h"
#include "tests/fuzz/fuzz.h"

namespace anubis::fuzz {
namespace {

using wireguard::UapiReplyParser;
using State = UapiReplyParser::State;

// Costs nothing, where the real one costs an X25519.
const wireguard::DerivePublicKey kDerive = [](const crypto::PrivateKey& key) {
  crypto::PublicKey derived;
  std::ranges::copy(key.view(), derived.bytes.begin());
  return derived;
};

struct Parsed {
  State state = State::kMore;
  int error = 0;
  DeviceCollector device;
};

void parse(std::string_view text, std::size_t piece, Parsed& parsed) {
  UapiReplyParser parser(parsed.device, kDerive);
  while (!text.empty()) {
    const auto now = text.substr(0, piece);
    parsed.state = parser.feed(now);
    text.remove_prefix(now.size());
  }
  parsed.error = parser.error();
}

}  // namespace

void uapi(Bytes input) {
  const std::string_view text = as_text(input);
  Parsed whole;
  parse(text, text.size(), whole);
  Parsed bytewise;
  parse(text, 1, bytewise);
  require(whole.state == bytewise.state && whole.error == bytewise.error && whole.device == bytewise.device,
          "it does not matter in which pieces an answer comes");
  require(whole.error >= 0 && whole.error <= 4095, "an error is an errno");

  UapiReplyParser acknowledgement;
  if (acknowledgement.feed(text) == State::kDone)
    require(whole.state == State::kDone, "an acknowledgement is an answer");

  if (whole.state != State::kDone || whole.error != 0) return;
  require(whole.device.begun == 1, "an answer is about one device");
  const auto changes = whole.device.as_changes();
  std::string said(wireguard::build_uapi_set(changes).text());
  said.insert(said.size() - 1, "errno=0\n");  // a request ends with an empty line, and so does an answer
  Parsed again;
  parse(said, said.size(), again);
  require(again.state == State::kDone && again.device.same_peers(whole.device), "what was told is read as the same");
}

}  // namespace anubis::fuzz

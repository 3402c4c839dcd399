// A host's identity card: what its peers need to know of it, as a short text that survives mail and chat. No secret is
// in it.
//
//    anubis-card: 1
//    name: jacinth
//    public-key: 2VaRbJ9CkeMKSo7b4bNuhGfPH9kkl8C5w2u/EyUNKEo=
//    side-public-key: 5Ka5jQ8QPZd1RDeJrZZ0IrUzhfNpHntPfHYWL0chbns=
//    side-address: fd77:…
//    endpoint: jacinth.example.net:4296
//    side-endpoint: jacinth.example.net:4297
//    address: 10.44.0.1
//    checksum: mzxw-6ytb-oi4d-qmrr
//
// It is read as a sequence of words: what stands before and after it, marks of quotation at the beginning of lines,
// trailing blanks, CRLF and line breaks within values don't matter. The checksum is over the lines above it, as written
// here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/crypto/keys.h"
#include "lib/model/endpoint.h"
#include "lib/model/ip.h"

namespace anubis::identity {

struct Card {
  std::string name;
  crypto::ProductionPublicKey public_key;
  crypto::SidePublicKey side_public_key;
  model::IpAddress side_address;
  std::optional<model::HostPort> endpoint;       // with its port; none: a host that only calls others
  std::optional<model::HostPort> side_endpoint;  // the same
  std::vector<model::IpAddress> addresses;       // through WireGuard: what its peers may want for allowed IPs

  bool operator==(const Card&) const = default;
};

// Of this host. An endpoint that is given counts instead of the configured one; its port, if any, is the production
// interface's.
[[nodiscard]] Card card_of(const config::Config& config, const std::optional<model::HostPort>& endpoint);

[[nodiscard]] std::string format_card(const Card& card);

// So much text is looked through for a card.
constexpr std::size_t kMaxCardText = 64u << 10;

// kNotFound: there is none in the text. kInvalid: it is damaged, or not of this version; the sentence says which.
[[nodiscard]] base::Result<Card> parse_card(std::string_view text);

}  // namespace anubis::identity

// An invitation as it is given to the new host: one word that mail and chat leave alone. Who has it can enrol a host
// under its name, once, until it expires: it is a secret.
//
//    anubis-invitation-BASE32
//
// In base32 stand fields of one byte for the kind, one for the length, and the value, in the order of their kinds, and
// at the end eight bytes of a digest of all that (docs/protocol.md, section 13.1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/secret_text.h"
#include "lib/crypto/invitation.h"
#include "lib/crypto/keys.h"
#include "lib/model/endpoint.h"
#include "lib/model/ip.h"

namespace anubis::identity {

struct Token {
  crypto::InvitationSecret secret;
  std::int64_t expires = 0;  // seconds since 1970
  std::string name;          // of the new host
  std::vector<model::InterfaceAddress> addresses;
  // Whoever invites, as the new host is to have it for a peer.
  std::string server;
  crypto::ProductionPublicKey public_key;
  crypto::SidePublicKey side_public_key;
  model::IpAddress side_address;
  model::HostPort endpoint;
  model::HostPort side_endpoint;
  std::uint16_t service_port = 0;
  std::vector<model::IpPrefix> allowed_ips;
};

// Of at most 8 addresses and 16 allowed IPs.
constexpr std::size_t kMaxTokenAddresses = 8;
constexpr std::size_t kMaxTokenRanges = 16;

constexpr std::string_view kTokenPrefix = "anubis-invitation-";
[[nodiscard]] base::SecretText format_token(const Token& token);

constexpr std::size_t kMaxTokenText = 4096;
// Blanks, line breaks and marks of quotation don't matter. kInvalid: it is none, or a damaged one.
[[nodiscard]] base::Result<Token> parse_token(std::string_view text);

}  // namespace anubis::identity

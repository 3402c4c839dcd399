// Side addresses: derived from keys, or configured.
#pragma once

#include <string_view>

#include "lib/base/result.h"
#include "lib/crypto/keys.h"
#include "lib/model/ip.h"

namespace anubis::config {

// An address that one host can have.
base::Result<model::IpAddress> parse_side_address(std::string_view text);

// An IPv6 /16 of unique local addresses (RFC 4193): the only length that leaves 14 bytes for the key.
base::Result<model::IpPrefix> parse_side_prefix(std::string_view text);

// fd77::/16 unless configured otherwise.
[[nodiscard]] model::IpPrefix default_side_prefix();

// `prefix` as parse_side_prefix gives it.
[[nodiscard]] model::IpAddress derive_side_address(const crypto::SidePublicKey& key, const model::IpPrefix& prefix);

}  // namespace anubis::config

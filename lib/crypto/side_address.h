// The side address of a host, that only the owner of the side key can have (the idea is that of BMX7's crypto
// addresses).
#pragma once

#include <array>
#include <cstdint>

#include "lib/crypto/keys.h"

namespace anubis::crypto {

constexpr std::array<std::uint8_t, 2> kDefaultSidePrefix{0xfd, 0x77};

// The two bytes of the prefix, then the first 14 bytes of BLAKE2b-256 of the side public key: an IPv6 address.
[[nodiscard]] std::array<std::uint8_t, 16> derive_side_address(const SidePublicKey& key,
                                                               std::array<std::uint8_t, 2> prefix = kDefaultSidePrefix);

}  // namespace anubis::crypto

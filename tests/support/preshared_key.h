// WireGuard preshared keys for tests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "lib/crypto/keys.h"

namespace anubis::test {

// All bytes the same; 0: the key that means none.
inline std::shared_ptr<const crypto::WireGuardPresharedKey> preshared_key(std::uint8_t fill) {
  base::Secret<crypto::kKeySize> secret;
  std::ranges::fill(secret.writable(), fill);
  return std::make_shared<crypto::WireGuardPresharedKey>(std::move(secret));
}

}  // namespace anubis::test

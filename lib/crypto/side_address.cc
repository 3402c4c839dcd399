#include "lib/crypto/side_address.h"

#include <algorithm>

#include <sodium.h>

namespace anubis::crypto {

std::array<std::uint8_t, 16> derive_side_address(const SidePublicKey& key, std::array<std::uint8_t, 2> prefix) {
  std::array<std::uint8_t, crypto_generichash_BYTES> digest;
  crypto_generichash(digest.data(), digest.size(), key.bytes.data(), key.bytes.size(), nullptr, 0);
  std::array<std::uint8_t, 16> address;
  auto rest = std::ranges::copy(prefix, address.begin()).out;
  std::copy_n(digest.begin(), address.end() - rest, rest);
  return address;
}

}  // namespace anubis::crypto

#include "lib/crypto/digest.h"

#include <sodium.h>

namespace anubis::crypto {

Digest digest(std::span<const std::uint8_t> bytes) {
  Digest out{};
  crypto_generichash(out.data(), out.size(), bytes.data(), bytes.size(), nullptr, 0);
  return out;
}

}  // namespace anubis::crypto

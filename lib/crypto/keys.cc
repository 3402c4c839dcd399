#include "lib/crypto/keys.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sodium.h>

namespace anubis::crypto {
namespace {

constexpr std::size_t kBase64Size = 44;
constexpr std::size_t kBriefSize = 8;

// Decodes exactly kKeySize bytes of canonical base64.
bool decode(std::string_view text, std::span<std::uint8_t, kKeySize> out) {
  std::size_t size = 0;
  const char* end = nullptr;
  return text.size() == kBase64Size &&
         sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &size, &end,
                           sodium_base64_VARIANT_ORIGINAL) == 0 &&
         size == kKeySize && end == text.data() + text.size();
}

// RFC 7748 lets X25519 take any 32 bytes: it ignores the top bit and reduces the rest modulo p = 2^255 − 19. What it
// puts out, and so every key that belongs to a private key, is below p.
bool is_canonical(const PublicKey& key) {
  constexpr std::uint8_t kLowestByteOfP = 0xed;
  const bool is_full = std::all_of(key.bytes.begin() + 1, key.bytes.end() - 1, [](auto byte) { return byte == 0xff; });
  return key.bytes.back() < 0x7f || (key.bytes.back() == 0x7f && !(is_full && key.bytes.front() >= kLowestByteOfP));
}

constexpr const char* kNotBase64 =
    "is not a key: a WireGuard key is 44 characters of base64, as `wg genkey` and `wg pubkey` print it";

}  // namespace

void initialise() {
  if (sodium_init() < 0) {
    std::fputs("anubis: libsodium cannot be initialised\n", stderr);
    std::abort();
  }
}

std::string PublicKey::to_base64() const {
  char text[kBase64Size + 1];
  sodium_bin2base64(text, sizeof text, bytes.data(), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  return text;
}

std::string PublicKey::brief() const { return to_base64().substr(0, kBriefSize).append("…"); }

base::Result<PublicKey> parse_public_key(std::string_view text) {
  PublicKey key;
  if (!decode(text, key.bytes)) return base::fail(base::ErrorCode::kInvalid, kNotBase64);
  if (has_small_order(key)) {
    return base::fail(
        base::ErrorCode::kInvalid,
        "is not a usable public key: it is a point of small order, so that its secrets are known to everybody");
  }
  if (!is_canonical(key)) {
    return base::fail(base::ErrorCode::kInvalid, "is not a usable public key: no private key has it");
  }
  return key;
}

bool has_small_order(const PublicKey& key) {
  // X25519 clears the low bits of the scalar, so the product is zero (and libsodium says so) for every point of small
  // order, whatever the scalar.
  const std::array<std::uint8_t, kKeySize> scalar{1};
  std::array<std::uint8_t, kKeySize> product;
  return crypto_scalarmult(product.data(), scalar.data(), key.bytes.data()) != 0;
}

PublicKey PrivateKey::derive_public_key() const {
  PublicKey key;
  crypto_scalarmult_base(key.bytes.data(), secret_.view().data());
  return key;
}

base::Result<base::Secret<kKeySize>> parse_secret(std::string_view text) {
  base::Secret<kKeySize> secret;
  if (!decode(text, secret.writable())) return base::fail(base::ErrorCode::kInvalid, kNotBase64);
  return secret;
}

std::size_t PublicKeyHash::operator()(const PublicKey& key) const noexcept {
  std::size_t value = 0;
  std::memcpy(&value, key.bytes.data(), sizeof value);
  return value;
}

}  // namespace anubis::crypto

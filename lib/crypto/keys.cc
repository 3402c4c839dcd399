#include "lib/crypto/keys.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sodium.h>

namespace anubis::crypto {
namespace {

constexpr std::size_t kBriefSize = 8;

// libsodium 1.0.18 takes some bytes beyond ASCII for digits. Without a branch that depends on a secret.
bool is_ascii(std::string_view text) {
  unsigned bits = 0;
  for (const char character : text) bits |= static_cast<unsigned char>(character);
  return bits < 0x80;
}

// Decodes exactly kKeySize bytes of canonical base64.
bool decode(std::string_view text, std::span<std::uint8_t, kKeySize> out) {
  std::size_t size = 0;
  const char* end = nullptr;
  return text.size() == kKeyTextSize && is_ascii(text) &&
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

// Every encoding, but for the bit that X25519 ignores, of a point whose order divides eight, on the curve or its twist
// (those that libsodium refuses in crypto_scalarmult). Trying the multiplication instead would cost 50 µs a key, and a
// configuration may hold a hundred thousand.
constexpr std::array<std::array<std::uint8_t, kKeySize>, 7> kSmallOrder{{
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00},  // 0
    {0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00},  // 1
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
     0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},  // of order 8
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
     0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},  // of order 8
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},  // p − 1
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},  // p, which is 0
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},  // p + 1, which is 1
}};

}  // namespace

void initialise() {
  if (sodium_init() < 0) {
    std::fputs("anubis: libsodium cannot be initialised\n", stderr);
    std::abort();
  }
}

std::string PublicKey::to_base64() const {
  char text[kKeyTextSize + 1];
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
  auto bytes = key.bytes;
  bytes.back() &= 0x7f;  // X25519 ignores that bit
  return std::ranges::find(kSmallOrder, bytes) != kSmallOrder.end();
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

base::Secret<kKeySize> duplicate(std::span<const std::uint8_t, kKeySize> secret) {
  base::Secret<kKeySize> copy;
  std::ranges::copy(secret, copy.writable().begin());
  return copy;
}

base::Secret<kKeyTextSize> format_secret(std::span<const std::uint8_t, kKeySize> secret) {
  base::Secret<kKeyTextSize + 1> terminated;
  sodium_bin2base64(reinterpret_cast<char*>(terminated.writable().data()), terminated.kSize, secret.data(),
                    secret.size(), sodium_base64_VARIANT_ORIGINAL);
  base::Secret<kKeyTextSize> text;
  std::ranges::copy(terminated.view().first<kKeyTextSize>(), text.writable().begin());
  return text;
}

std::shared_ptr<const WireGuardPresharedKey> no_preshared_key() {
  return std::make_shared<WireGuardPresharedKey>(base::Secret<kKeySize>());
}

PresharedKeyId id_of(const WireGuardPresharedKey& key) {
  constexpr std::string_view kContext = "anubis preshared key id, version 1";
  PresharedKeyId id{};
  crypto_generichash(id.data(), id.size(), reinterpret_cast<const unsigned char*>(kContext.data()), kContext.size(),
                     key.view().data(), key.view().size());
  return id;
}

std::size_t PublicKeyHash::operator()(const PublicKey& key) const noexcept {
  std::size_t value = 0;
  std::memcpy(&value, key.bytes.data(), sizeof value);
  return value;
}

base::Secret<kKeySize> generate_private_key(base::Random& random) {
  base::Secret<kKeySize> secret;
  const auto bytes = secret.writable();
  random.fill(bytes);
  bytes.front() &= 0xf8;
  bytes.back() = static_cast<std::uint8_t>((bytes.back() & 0x7f) | 0x40);
  return secret;
}

}  // namespace anubis::crypto

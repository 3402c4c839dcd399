#include "lib/crypto/sealing.h"

#include <string_view>

#include <sodium.h>

namespace anubis::crypto {
namespace {

static_assert(kKeySize == crypto_kx_PUBLICKEYBYTES && kKeySize == crypto_kx_SESSIONKEYBYTES);

constexpr std::string_view kContext = "anubis message key, version 1";

void absorb(crypto_generichash_state& state, std::span<const std::uint8_t> bytes) {
  crypto_generichash_update(&state, bytes.data(), bytes.size());
}

void absorb(crypto_generichash_state& state, std::string_view text) {
  // Each text is preceded by its length, so that no two inputs read the same.
  const auto size = static_cast<std::uint8_t>(text.size());
  crypto_generichash_update(&state, &size, 1);
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

base::Secret<kKeySize> mix(Suite suite, const base::Secret<kKeySize>& exchanged, const PresharedKey* preshared) {
  base::Secret<kKeySize> key;
  crypto_generichash_state state;
  crypto_generichash_init(&state, exchanged.view().data(), exchanged.view().size(), kKeySize);
  absorb(state, kContext);
  absorb(state, protocol_name_of(suite));
  const std::uint8_t has_preshared = preshared != nullptr ? 1 : 0;
  crypto_generichash_update(&state, &has_preshared, 1);
  if (preshared != nullptr) absorb(state, preshared->view());
  crypto_generichash_final(&state, key.writable().data(), kKeySize);
  sodium_memzero(&state, sizeof state);
  return key;
}

}  // namespace

base::Result<MessageKeys> derive_message_keys(Suite suite, const ProductionPrivateKey& own_private,
                                              const ProductionPublicKey& own_public, const ProductionPublicKey& peer,
                                              const PresharedKey* preshared) {
  base::Secret<kKeySize> receiving;
  base::Secret<kKeySize> sending;
  // crypto_kx tells a client from a server. Our two are equals: the smaller public key plays the client.
  const auto exchange = own_public < peer ? crypto_kx_client_session_keys : crypto_kx_server_session_keys;
  if (exchange(receiving.writable().data(), sending.writable().data(), own_public.bytes.data(),
               own_private.view().data(), peer.bytes.data()) != 0) {
    return base::fail(base::ErrorCode::kInvalid, "the peer's public key is a point of small order");
  }
  return MessageKeys{.sending = mix(suite, sending, preshared), .receiving = mix(suite, receiving, preshared)};
}

}  // namespace anubis::crypto

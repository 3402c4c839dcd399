// The suites that seal messages (docs/protocol.md, section 3.3). suites.cc holds all that is known of each of them: one
// more is one more entry there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/secret.h"
#include "lib/crypto/keys.h"

namespace anubis::crypto {

constexpr std::size_t kNonceSize = 24;
constexpr std::size_t kTagSize = 16;

// A number of the protocol. Where two hosts have several in common, the one with the highest number is taken.
enum class Suite : std::uint8_t {
  kXChaCha20Poly1305 = 1,  // the one that every host has; of the others only suites.cc knows
};

using Nonce = std::array<std::uint8_t, kNonceSize>;

// Those that this program knows, whether the hardware has what they need or not; lowest number first.
[[nodiscard]] std::vector<Suite> known_suites();
// Those that can be used on this hardware; never none.
[[nodiscard]] std::vector<Suite> available_suites();
[[nodiscard]] bool is_available(Suite suite);

[[nodiscard]] std::optional<Suite> find_suite(std::uint64_t number);
[[nodiscard]] std::optional<Suite> find_suite(std::string_view name);

// "xchacha20poly1305": as it is written in the configuration.
[[nodiscard]] std::string_view name_of(Suite suite);
// "XChaCha20-Poly1305-IETF": as it goes into the message keys.
[[nodiscard]] std::string_view protocol_name_of(Suite suite);

// "xchacha20poly1305, aes256gcm", for sentences.
[[nodiscard]] std::string names_of(std::span<const Suite> suites);

// The one that two hosts use which allow these.
[[nodiscard]] std::optional<Suite> best_common(std::span<const Suite> ours, std::span<const Suite> theirs);

// Writes ciphertext and tag (plaintext.size() + kTagSize bytes) to out, which must have exactly that size. plaintext
// may be the beginning of out. The suite must be available.
void seal(Suite suite, const base::Secret<kKeySize>& key, const Nonce& nonce,
          std::span<const std::uint8_t> associated_data, std::span<const std::uint8_t> plaintext,
          std::span<std::uint8_t> out);

// Writes the plaintext (sealed.size() - kTagSize bytes) to out, which must have exactly that size.
// False, with out wiped, when anything was changed. The suite must be available.
[[nodiscard]] bool open(Suite suite, const base::Secret<kKeySize>& key, const Nonce& nonce,
                        std::span<const std::uint8_t> associated_data, std::span<const std::uint8_t> sealed,
                        std::span<std::uint8_t> out);

}  // namespace anubis::crypto

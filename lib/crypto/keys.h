// WireGuard's keys: 32 bytes, Curve25519, written in base64 (44 characters). A side key is not a production key is not
// a preshared key, and the compiler knows it. Functions that serve any WireGuard interface take the role-less base.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace anubis::crypto {

constexpr std::size_t kKeySize = 32;  // of public, private and preshared keys alike

// libsodium must be initialised before anything else of this library is used. Aborts when that fails.
void initialise();

struct PublicKey {
  std::array<std::uint8_t, kKeySize> bytes{};

  auto operator<=>(const PublicKey&) const = default;
  [[nodiscard]] std::string to_base64() const;
  // The first characters, for people: enough to tell keys apart in a display, not enough to copy.
  [[nodiscard]] std::string brief() const;
};

// kInvalid unless text is exactly the base64 of 32 bytes that are a point of large order (a small-order point would
// make the shared secret known to everybody) in its one canonical encoding (by another, one key could pass for two).
[[nodiscard]] base::Result<PublicKey> parse_public_key(std::string_view text);
[[nodiscard]] bool has_small_order(const PublicKey& key);

// A private key of an interface. Its memory is wiped.
class PrivateKey {
 public:
  explicit PrivateKey(base::Secret<kKeySize> secret) : secret_(std::move(secret)) {}
  [[nodiscard]] std::span<const std::uint8_t, kKeySize> view() const { return secret_.view(); }
  [[nodiscard]] PublicKey derive_public_key() const;

 private:
  base::Secret<kKeySize> secret_;
};

// kInvalid unless text is exactly the base64 of 32 bytes.
[[nodiscard]] base::Result<base::Secret<kKeySize>> parse_secret(std::string_view text);

// A private or preshared key once more, to be kept elsewhere (as base::Secret's own duplicate()).
[[nodiscard]] base::Secret<kKeySize> duplicate(std::span<const std::uint8_t, kKeySize> secret);

constexpr std::size_t kKeyTextSize = 44;
// The base64 of a private or preshared key, as parse_secret() takes it.
[[nodiscard]] base::Secret<kKeyTextSize> format_secret(std::span<const std::uint8_t, kKeySize> secret);

// A fresh private key, in the form in which `wg genkey` makes them (RFC 7748, section 5: some bits are fixed).
[[nodiscard]] base::Secret<kKeySize> generate_private_key(base::Random& random);

// The interface that carries traffic.
struct Production {};
// The interface for Anubis alone.
struct Side {};
// No interface: the page in a phone's browser (docs/protocol.md, 9.7).
struct Companion {};

template <class Role>
struct RolePublicKey : PublicKey {
  RolePublicKey() = default;
  explicit RolePublicKey(const PublicKey& key) : PublicKey(key) {}
  auto operator<=>(const RolePublicKey&) const = default;
};
using ProductionPublicKey = RolePublicKey<Production>;
using SidePublicKey = RolePublicKey<Side>;
using CompanionPublicKey = RolePublicKey<Companion>;

template <class Role>
class RolePrivateKey : public PrivateKey {
 public:
  using PrivateKey::PrivateKey;
  [[nodiscard]] RolePublicKey<Role> public_key() const { return RolePublicKey<Role>(derive_public_key()); }
};
using ProductionPrivateKey = RolePrivateKey<Production>;
using SidePrivateKey = RolePrivateKey<Side>;

// Anubis' own preshared key, mixed into the message keys; not the one of WireGuard.
class PresharedKey {
 public:
  explicit PresharedKey(base::Secret<kKeySize> secret) : secret_(std::move(secret)) {}
  [[nodiscard]] std::span<const std::uint8_t, kKeySize> view() const { return secret_.view(); }
  [[nodiscard]] bool equals(const PresharedKey& other) const { return secret_.equals(other.secret_); }

 private:
  base::Secret<kKeySize> secret_;
};

// WireGuard's preshared key of a peer, on either interface; not the one that Anubis mixes into its messages.
class WireGuardPresharedKey {
 public:
  explicit WireGuardPresharedKey(base::Secret<kKeySize> secret) : secret_(std::move(secret)) {}
  [[nodiscard]] std::span<const std::uint8_t, kKeySize> view() const { return secret_.view(); }
  [[nodiscard]] bool equals(const WireGuardPresharedKey& other) const { return secret_.equals(other.secret_); }

 private:
  base::Secret<kKeySize> secret_;
};

// All zero, as WireGuard wants it said that there is none.
[[nodiscard]] std::shared_ptr<const WireGuardPresharedKey> no_preshared_key();

// Tells which key is meant without telling the key (docs/protocol.md, 9.4).
using PresharedKeyId = std::array<std::uint8_t, 16>;
[[nodiscard]] PresharedKeyId id_of(const WireGuardPresharedKey& key);

struct PublicKeyHash {
  // Public keys are spread evenly by themselves; who can choose them is an authorised peer.
  [[nodiscard]] std::size_t operator()(const PublicKey& key) const noexcept;
};

}  // namespace anubis::crypto

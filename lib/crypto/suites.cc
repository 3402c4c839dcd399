#include "lib/crypto/suites.h"

#include <algorithm>
#include <cassert>

#include <sodium.h>

namespace anubis::crypto {
namespace {

using Key = base::Secret<kKeySize>;
using Bytes = std::span<const std::uint8_t>;

// All that there is to know of a suite. Sizes have been checked when seal and open are called: `sealed` has kTagSize
// bytes more than the plaintext, which may be its beginning.
struct Entry {
  Suite suite;
  std::string_view name;           // in the configuration and in what users are told
  std::string_view protocol_name;  // in the derivation of message keys
  bool (*is_available)();
  void (*seal)(const Key& key, const Nonce& nonce, Bytes associated_data, Bytes plaintext, std::uint8_t* sealed);
  bool (*open)(const Key& key, const Nonce& nonce, Bytes associated_data, Bytes sealed, std::uint8_t* plaintext);
};

// --- 1: XChaCha20-Poly1305 -------------------------------------------------------------------------------------------

static_assert(kKeySize == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
static_assert(kNonceSize == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(kTagSize == crypto_aead_xchacha20poly1305_ietf_ABYTES);

void seal_xchacha(const Key& key, const Nonce& nonce, Bytes associated_data, Bytes plaintext, std::uint8_t* sealed) {
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, nullptr, plaintext.data(), plaintext.size(),
                                             associated_data.data(), associated_data.size(), nullptr, nonce.data(),
                                             key.view().data());
}

bool open_xchacha(const Key& key, const Nonce& nonce, Bytes associated_data, Bytes sealed, std::uint8_t* plaintext) {
  return crypto_aead_xchacha20poly1305_ietf_decrypt(plaintext, nullptr, nullptr, sealed.data(), sealed.size(),
                                                    associated_data.data(), associated_data.size(), nonce.data(),
                                                    key.view().data()) == 0;
}

// --- 2: AES-256-GCM with a subkey for each message -------------------------------------------------------------------

// GCM's own nonce has 96 bits: drawn at random under one key it would repeat too soon, and a repetition gives
// everything away. So the first half of our nonce makes a key for this message, and the second half is GCM's nonce
// under it: only all 192 bits together may not repeat.
constexpr std::size_t kSubkeyNonceSize = kNonceSize - crypto_aead_aes256gcm_NPUBBYTES;
static_assert(kKeySize == crypto_aead_aes256gcm_KEYBYTES && kKeySize == crypto_generichash_BYTES);
static_assert(kSubkeyNonceSize == 12);
static_assert(kTagSize == crypto_aead_aes256gcm_ABYTES);

// It lives for one message, on the stack: the keys that stay are not there.
class Subkey {
 public:
  Subkey(const Key& key, const Nonce& nonce) {
    crypto_generichash(bytes_.data(), bytes_.size(), nonce.data(), kSubkeyNonceSize, key.view().data(), kKeySize);
  }
  Subkey(const Subkey&) = delete;
  Subkey& operator=(const Subkey&) = delete;
  ~Subkey() { sodium_memzero(bytes_.data(), bytes_.size()); }

  [[nodiscard]] const std::uint8_t* data() const { return bytes_.data(); }

 private:
  std::array<std::uint8_t, kKeySize> bytes_;
};

// The hardware's AES, or none: a table in memory would tell the key by the time that it takes.
bool has_aes() { return crypto_aead_aes256gcm_is_available() != 0; }

void seal_aes(const Key& key, const Nonce& nonce, Bytes associated_data, Bytes plaintext, std::uint8_t* sealed) {
  const Subkey subkey(key, nonce);
  crypto_aead_aes256gcm_encrypt(sealed, nullptr, plaintext.data(), plaintext.size(), associated_data.data(),
                                associated_data.size(), nullptr, nonce.data() + kSubkeyNonceSize, subkey.data());
}

bool open_aes(const Key& key, const Nonce& nonce, Bytes associated_data, Bytes sealed, std::uint8_t* plaintext) {
  const Subkey subkey(key, nonce);
  return crypto_aead_aes256gcm_decrypt(plaintext, nullptr, nullptr, sealed.data(), sealed.size(),
                                       associated_data.data(), associated_data.size(), nonce.data() + kSubkeyNonceSize,
                                       subkey.data()) == 0;
}

// --- all -------------------------------------------------------------------------------------------------------------

// In the order of their numbers.
constexpr std::array kEntries{
    Entry{.suite = Suite::kXChaCha20Poly1305,
          .name = "xchacha20poly1305",
          .protocol_name = "XChaCha20-Poly1305-IETF",
          .is_available = [] { return true; },
          .seal = seal_xchacha,
          .open = open_xchacha},
    Entry{.suite = Suite{2},
          .name = "aes256gcm",
          .protocol_name = "BLAKE2b-AES-256-GCM",
          .is_available = has_aes,
          .seal = seal_aes,
          .open = open_aes},
};

const Entry* find(Suite suite) {
  const auto* found = std::ranges::find(kEntries, suite, &Entry::suite);
  return found == kEntries.end() ? nullptr : found;
}

}  // namespace

std::vector<Suite> known_suites() {
  std::vector<Suite> suites;
  suites.reserve(kEntries.size());
  for (const Entry& entry : kEntries) suites.push_back(entry.suite);
  return suites;
}

std::vector<Suite> available_suites() {
  std::vector<Suite> suites;
  for (const Entry& entry : kEntries) {
    if (entry.is_available()) suites.push_back(entry.suite);
  }
  return suites;
}

bool is_available(Suite suite) {
  const Entry* entry = find(suite);
  return entry != nullptr && entry->is_available();
}

std::optional<Suite> find_suite(std::uint64_t number) {
  if (number > 0xff || find(static_cast<Suite>(number)) == nullptr) return std::nullopt;
  return static_cast<Suite>(number);
}

std::optional<Suite> find_suite(std::string_view name) {
  const auto* found = std::ranges::find(kEntries, name, &Entry::name);
  if (found == kEntries.end()) return std::nullopt;
  return found->suite;
}

std::string_view name_of(Suite suite) {
  const Entry* entry = find(suite);
  return entry == nullptr ? "unknown" : entry->name;
}

std::string_view protocol_name_of(Suite suite) {
  const Entry* entry = find(suite);
  return entry == nullptr ? std::string_view{} : entry->protocol_name;
}

std::string names_of(std::span<const Suite> suites) {
  if (suites.empty()) return "none that is known here";
  std::string names;
  for (const Suite suite : suites) names.append(names.empty() ? "" : ", ").append(name_of(suite));
  return names;
}

std::optional<Suite> best_common(std::span<const Suite> ours, std::span<const Suite> theirs) {
  std::optional<Suite> best;
  for (const Suite suite : theirs) {
    if (std::ranges::find(ours, suite) != ours.end()) best = std::max(best.value_or(suite), suite);
  }
  return best;
}

void seal(Suite suite, const Key& key, const Nonce& nonce, Bytes associated_data, Bytes plaintext,
          std::span<std::uint8_t> out) {
  const Entry* entry = find(suite);
  assert(entry != nullptr && out.size() == plaintext.size() + kTagSize);
  entry->seal(key, nonce, associated_data, plaintext, out.data());
}

bool open(Suite suite, const Key& key, const Nonce& nonce, Bytes associated_data, Bytes sealed,
          std::span<std::uint8_t> out) {
  if (sealed.size() < kTagSize || out.size() != sealed.size() - kTagSize) return false;
  const Entry* entry = find(suite);
  assert(entry != nullptr);
  const bool authentic = entry->open(key, nonce, associated_data, sealed, out.data());
  if (!authentic) std::ranges::fill(out, std::uint8_t{0});
  return authentic;
}

}  // namespace anubis::crypto

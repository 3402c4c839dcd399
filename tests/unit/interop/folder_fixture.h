// A folder in which a configuration stands, with keys that follow from numbers.
#pragma once

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/config/config.h"
#include "lib/crypto/keys.h"
#include "tests/unit/config/folder.h"

namespace anubis::interop {

inline crypto::PrivateKey private_key(std::uint8_t number) {
  base::Secret<crypto::kKeySize> secret;
  std::ranges::fill(secret.writable(), number);
  secret.writable().front() &= 0xf8;
  secret.writable().back() = static_cast<std::uint8_t>((secret.writable().back() & 0x7f) | 0x40);
  return crypto::PrivateKey(std::move(secret));
}

inline std::string text_of(std::span<const std::uint8_t, crypto::kKeySize> key) {
  const auto text = crypto::format_secret(key);
  return {text.view().begin(), text.view().end()};
}
inline std::string private_text(std::uint8_t number) { return text_of(private_key(number).view()); }
inline std::string public_text(std::uint8_t number) { return private_key(number).derive_public_key().to_base64(); }

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    crypto::initialise();
    folder_.write("own.key", private_text(100));
    folder_.write("own-side.key", private_text(101));
  }

  config::Config load(std::string_view production, std::string_view rest = "") {
    folder_.write("anubis.toml", std::string("name = \"jacinth\"\n[production]\nprivate_key_file = \"own.key\"\n")
                                     .append(production)
                                     .append("\n[side]\nprivate_key_file = \"own-side.key\"\n")
                                     .append(rest));
    auto config = config::load(folder_ / "anubis.toml");
    EXPECT_TRUE(config) << config.error().message;
    return config ? std::move(*config) : config::Config{};
  }

  config::Folder folder_;
};

}  // namespace anubis::interop

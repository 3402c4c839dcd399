#include "tests/unit/config/fixture.h"

#include <array>
#include <cctype>
#include <cstdint>

#include "lib/crypto/keys.h"

namespace anubis::config {
namespace {

base::Secret<crypto::kKeySize> make_secret(unsigned number) {
  base::Secret<crypto::kKeySize> secret;
  secret.writable()[0] = static_cast<std::uint8_t>((number & 0x1f) << 3);  // clamped, as wg genkey does it
  secret.writable()[1] = static_cast<std::uint8_t>(number >> 5);
  secret.writable()[2] = static_cast<std::uint8_t>(number >> 13);
  secret.writable()[31] = 0x40;
  return secret;
}

}  // namespace

std::string private_key(unsigned number) {
  crypto::PublicKey for_its_base64;
  const auto secret = make_secret(number);
  std::copy(secret.view().begin(), secret.view().end(), for_its_base64.bytes.begin());
  return for_its_base64.to_base64();
}

std::string public_key(unsigned number) {
  return crypto::PrivateKey(make_secret(number)).derive_public_key().to_base64();
}

std::string with_keys(std::string_view text) {
  constexpr std::string_view kMark = "KEY";
  std::string out;
  while (true) {
    const auto at = text.find(kMark);
    out.append(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + kMark.size());
    unsigned number = 0;
    for (; !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) != 0; text.remove_prefix(1)) {
      number = number * 10 + static_cast<unsigned>(text.front() - '0');
    }
    out += public_key(number);
  }
}

ConfigTest::ConfigTest() {
  crypto::initialise();
  folder_.write("xena.key", private_key(kOwnProduction) + "\n");
  folder_.write("xena-side.key", private_key(kOwnSide) + "\n");
}

base::Result<Config> ConfigTest::load_text(std::string_view text) {
  return load(folder_.write("anubis.toml", with_keys(text)));
}

std::string ConfigTest::error_of(std::string_view text) {
  const auto loaded = load_text(text);
  return loaded ? "" : folder_.strip(loaded.error().message);
}

}  // namespace anubis::config

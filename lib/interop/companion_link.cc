#include "lib/interop/companion_link.h"

#include <string>

#include <fmt/format.h>

namespace anubis::interop {
namespace {

constexpr std::string_view kFormat = "1";

// Base64 as it may stand in an address (RFC 4648, section 5), without its padding.
void append_key(base::SecretText& text, std::span<const std::uint8_t, crypto::kKeySize> key) {
  auto base64 = crypto::format_secret(key);
  for (std::uint8_t& character : base64.writable()) {
    if (character == '+') character = '-';
    if (character == '/') character = '_';
  }
  const std::string_view all(reinterpret_cast<const char*>(base64.view().data()), base64.kSize);
  text.append(all.substr(0, all.find('=')));
}

}  // namespace

base::SecretText companion_link(const config::Config& server, const crypto::PrivateKey& page) {
  base::SecretText link;
  link.append(
      fmt::format("http://{}/#{}.", model::Endpoint{server.side.address, server.companion.port}.to_string(), kFormat));
  append_key(link, page.view());
  link.append(".");
  append_key(link, server.production.public_key.bytes);
  return link;
}

}  // namespace anubis::interop

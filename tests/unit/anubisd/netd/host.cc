#include "tests/unit/anubisd/netd/host.h"

#include <algorithm>

#include "lib/crypto/side_address.h"

namespace anubis::netd {

base::Secret<crypto::kKeySize> secret(unsigned number) {
  base::Secret<crypto::kKeySize> secret;
  std::ranges::fill(secret.writable(), static_cast<std::uint8_t>(number));
  // As `wg genkey` clamps them: some implementations give a key back as it was, others clamped.
  secret.writable()[0] &= 248;
  secret.writable()[31] = static_cast<std::uint8_t>((secret.writable()[31] & 127) | 64);
  // Clamping has made neighbours equal.
  secret.writable()[1] = static_cast<std::uint8_t>(number >> 8);
  secret.writable()[2] = static_cast<std::uint8_t>(number);
  return secret;
}

crypto::PublicKey public_key(unsigned number) { return crypto::PrivateKey(secret(number)).derive_public_key(); }

model::IpPrefix prefix(std::string_view text) { return model::IpPrefix::parse(text).value(); }
model::IpAddress ip(std::string_view text) { return model::IpAddress::parse(text).value(); }
model::Endpoint endpoint(std::string_view text) {
  const auto parsed = model::HostPort::parse(text).value();
  return {parsed.literal().value(), parsed.port.value(), 0};
}

config::Config xena() {
  config::Config config;
  config.name = "xena";
  config.production.private_key = crypto::ProductionPrivateKey(secret(1000));
  config.production.public_key = config.production.private_key.public_key();
  config.production.addresses = {model::InterfaceAddress::parse("10.44.0.7/24").value(),
                                 model::InterfaceAddress::parse("fd44::7/64").value()};
  config.side.private_key = crypto::SidePrivateKey(secret(1001));
  config.side.public_key = config.side.private_key.public_key();
  config.side.prefix = prefix("fd77::/16");
  config.side.address = peer("", 500, {}).side_address;
  return config;
}

model::Peer peer(std::string name, unsigned number, const std::vector<std::string>& allowed_ips) {
  model::Peer peer;
  peer.name = std::move(name);
  peer.public_key = crypto::ProductionPublicKey(public_key(2 * number));
  peer.side_public_key = crypto::SidePublicKey(public_key(2 * number + 1));
  peer.side_address = model::IpAddress::v6(crypto::derive_side_address(peer.side_public_key));
  peer.endpoint = model::HostPort{"192.0.2.1", 4296};
  peer.side_endpoint = model::HostPort{"192.0.2.1", 4297};
  for (const auto& text : allowed_ips) peer.allowed_ips.push_back(prefix(text));
  return peer;
}

}  // namespace anubis::netd

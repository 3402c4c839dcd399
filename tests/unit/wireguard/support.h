// Small values for the tests of lib/wireguard.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "lib/base/secret.h"
#include "lib/crypto/keys.h"
#include "lib/model/endpoint.h"
#include "lib/model/ip.h"
#include "lib/wireguard/device.h"

namespace anubis::wireguard {

inline crypto::PrivateKey private_key(std::uint32_t number) {
  base::Secret<crypto::kKeySize> secret;
  std::ranges::fill(secret.writable(), std::uint8_t{0x42});
  for (std::size_t i = 0; i < 4; ++i) secret.writable()[8 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return crypto::PrivateKey(std::move(secret));
}

inline crypto::PublicKey public_key(std::uint32_t number) { return private_key(number).derive_public_key(); }

// Unlike public_key(), nobody's; but quick to make.
inline crypto::PublicKey cheap_key(std::uint32_t number) {
  crypto::PublicKey key;
  key.bytes.fill(0x17);
  for (std::size_t i = 0; i < 4; ++i) key.bytes[4 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return key;
}

inline model::IpPrefix prefix(std::string_view text) { return model::IpPrefix::parse(text).value(); }

inline std::vector<model::IpPrefix> prefixes(std::initializer_list<std::string_view> texts) {
  std::vector<model::IpPrefix> result;
  for (const auto text : texts) result.push_back(prefix(text));
  return result;
}

// 10.x.y.z/32, as many as wanted.
inline std::vector<model::IpPrefix> many_prefixes(std::uint32_t count) {
  std::vector<model::IpPrefix> result;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint8_t bytes[4] = {10, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8),
                                   static_cast<std::uint8_t>(i)};
    result.emplace_back(model::IpAddress::v4(bytes), 32);
  }
  return result;
}

inline model::Endpoint endpoint(std::string_view address, std::uint16_t port) {
  return {model::IpAddress::parse(address).value(), port, 0};
}

inline std::vector<model::IpPrefix> sorted(std::vector<model::IpPrefix> prefixes_of_peer) {
  std::ranges::sort(prefixes_of_peer);
  return prefixes_of_peer;
}

inline const PeerState* find_peer(const DeviceState& state, const crypto::PublicKey& key) {
  const auto found = std::ranges::find(state.peers, key, &PeerState::public_key);
  return found == state.peers.end() ? nullptr : &*found;
}

}  // namespace anubis::wireguard

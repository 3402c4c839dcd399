// A phone as a peer. WireGuard's own app has one tunnel at a time, so the phone has both of ours in one: one interface
// with one key, and this host twice as its peer, by its side key and by its production key. The first always answers,
// the second only while the phone is up here (docs/decisions/0022). PURE.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/config/config.h"
#include "lib/config/wg_quick.h"
#include "lib/crypto/keys.h"
#include "lib/interop/entry.h"
#include "lib/model/endpoint.h"
#include "lib/model/ip.h"

namespace anubis::interop {

struct Phone {
  std::string name;
  crypto::PublicKey public_key;
  std::vector<model::IpAddress> addresses;       // through WireGuard
  std::optional<model::IpAddress> side_address;  // where it does not follow from the key
  std::vector<model::IpPrefix> reaches;          // what it may send here, but for the side tunnel
  model::Endpoint endpoint;                      // of this host: the app resolves no name a second time
  model::Endpoint side_endpoint;
  std::vector<model::IpAddress> dns_servers;
  std::vector<std::string> dns_search;
  std::uint16_t persistent_keepalive = 0;  // 0: off
  std::optional<base::Duration> lease;
};

// What the phone gets. private_key: none when the phone has made its own.
[[nodiscard]] config::WgQuickFile tunnel_of(const Phone& phone, std::optional<crypto::PrivateKey> private_key,
                                            const config::Config& server);

// What this host gets.
[[nodiscard]] PlainPeer entry_of(const Phone& phone);

// The networks of [production] addresses: what a phone reaches unless more is said.
[[nodiscard]] std::vector<model::IpPrefix> own_networks(const config::Config& config);

}  // namespace anubis::interop

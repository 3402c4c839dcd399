// A WireGuard interface with one peer, for as long as this object lives: how a host that is nobody's peer yet reaches
// the one that invited it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "anubis-cli/failure.h"
#include "lib/crypto/keys.h"
#include "lib/model/endpoint.h"
#include "lib/model/ip.h"
#include "lib/network/network.h"
#include "lib/wireguard/device.h"
#include "lib/wireguard/userspace_launcher.h"
#include "lib/wireguard/userspace_process.h"

namespace anubis::cli {

class Tunnel {
 public:
  struct Peer {
    crypto::SidePublicKey public_key;
    model::Endpoint endpoint;
    model::IpAddress address;  // inside the tunnel
  };

  // The kernel's WireGuard, or wireguard-go where it has none. What a killed predecessor left is taken away first.
  static base::Result<std::unique_ptr<Tunnel>> open(const crypto::SidePrivateKey& key, const model::IpAddress& own,
                                                    const Peer& peer);
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;
  // Takes the interface away.
  ~Tunnel();

  // Whether WireGuard has shaken hands: the other end is there, and knows the key.
  [[nodiscard]] bool has_shaken_hands();

 private:
  Tunnel() = default;
  base::Status create();
  base::Status configure(const crypto::SidePrivateKey& key, const model::IpAddress& own, const Peer& peer);

  std::unique_ptr<network::Network> network_;
  wireguard::DirectLauncher launcher_;
  std::optional<wireguard::UserspaceProcess> process_;
  std::unique_ptr<wireguard::Device> device_;
  std::uint32_t ifindex_ = 0;  // 0: there is no link of ours
};

}  // namespace anubis::cli

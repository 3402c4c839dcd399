// A userspace WireGuard implementation (wireguard-go and others), through its configuration socket.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lib/base/result.h"
#include "lib/base/secret.h"
#include "lib/crypto/keys.h"
#include "lib/wireguard/batch.h"
#include "lib/wireguard/device.h"
#include "lib/wireguard/uapi_connection.h"

namespace anubis::wireguard {

class UserspaceDevice final : public Device {
 public:
  // Whoever serves that interface's socket when a call is made; that somebody does is seen only then.
  static base::Result<std::unique_ptr<UserspaceDevice>> create(std::string interface,
                                                               std::string_view directory = kUapiDirectory);

  base::Status configure(const Configuration& configuration) override;
  [[nodiscard]] PeerFailures apply(std::span<const PeerChange> changes) override;
  // Reads the peers too: the protocol cannot leave them out.
  base::Result<DeviceInfo> info() override;
  base::Status visit(DumpVisitor& visitor) override;

 private:
  UserspaceDevice(std::string interface, std::string path);

  Outcome transact(std::span<const PeerChange> changes);
  [[nodiscard]] bool is_full();
  [[nodiscard]] base::Error error_of(int error) const;
  crypto::PublicKey derive(const crypto::PrivateKey& key);

  std::string interface_;
  std::string path_;
  UapiConnection connection_;
  std::optional<bool> full_;  // as found in the present call of apply()
  // Each reply tells the private key; its public key is computed once.
  base::Secret<crypto::kKeySize> private_key_;
  std::optional<crypto::PublicKey> public_key_;
  DerivePublicKey derive_;
};

}  // namespace anubis::wireguard

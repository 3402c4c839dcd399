// The host "xena" as tests configure it, without files: keys are numbers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/config/config.h"
#include "lib/crypto/keys.h"
#include "lib/model/directory.h"
#include "lib/model/peer.h"

namespace anubis::netd {

[[nodiscard]] base::Secret<crypto::kKeySize> secret(unsigned number);
[[nodiscard]] crypto::PublicKey public_key(unsigned number);

[[nodiscard]] model::IpPrefix prefix(std::string_view text);
[[nodiscard]] model::IpAddress ip(std::string_view text);
[[nodiscard]] model::Endpoint endpoint(std::string_view text);

// wg0 with 10.44.0.7/24 and fd44::7/64, table 214, anubis0; no peers.
[[nodiscard]] config::Config xena();

// Production key 2·number, side key 2·number + 1, endpoints 192.0.2.1 with the default ports.
[[nodiscard]] model::Peer peer(std::string name, unsigned number, const std::vector<std::string>& allowed_ips);

}  // namespace anubis::netd

// The [[peer]] of a peer on which no Anubis runs, as text for a file of the configuration. PURE.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/crypto/keys.h"
#include "lib/model/endpoint.h"
#include "lib/model/ip.h"

namespace anubis::interop {

struct PlainPeer {
  std::string name;
  crypto::PublicKey public_key;
  std::optional<model::IpAddress> side_address;  // where it does not follow from the key
  std::optional<model::HostPort> endpoint;       // with its port
  std::vector<model::IpPrefix> allowed_ips;
  bool nested = false;
  std::uint16_t persistent_keepalive = 0;  // 0: off
  std::string preshared_key_file;          // of the production tunnel; empty: none
  std::optional<base::Duration> lease;
};

[[nodiscard]] std::string format_entry(const PlainPeer& peer);

// `["10.44.0.8/32", "fd44::8/128"]`, of whatever has a to_string().
template <class T>
[[nodiscard]] std::string format_list(const std::vector<T>& values) {
  std::string text = "[";
  for (const T& value : values) text.append(text.size() == 1 ? "\"" : ", \"").append(value.to_string()).append("\"");
  return text + "]";
}

}  // namespace anubis::interop

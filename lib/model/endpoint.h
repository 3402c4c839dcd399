// Where a peer's bearer packets go: as configured (a name, perhaps) and as resolved.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/model/ip.h"

namespace anubis::model {

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  std::uint32_t scope_id = 0;  // interface index of a link-local IPv6 address, else 0

  [[nodiscard]] std::string to_string() const;  // "192.0.2.1:4296", "[2001:db8::1]:4296"
  auto operator<=>(const Endpoint&) const = default;
};

// "host", "host:port", "192.0.2.1", "192.0.2.1:4296", "2001:db8::1", "[2001:db8::1]:4296".
struct HostPort {
  std::string host;  // without brackets
  std::optional<std::uint16_t> port;

  // kInvalid when text is neither an address nor a host name (RFC 1123), or the port is not 1 to 65535.
  static base::Result<HostPort> parse(std::string_view text);
  // The host, when it is an address and needs no resolver.
  [[nodiscard]] std::optional<IpAddress> literal() const;
  [[nodiscard]] std::string to_string() const;
  bool operator==(const HostPort&) const = default;
};

}  // namespace anubis::model

// What single values of a configuration may be, for whoever reads or writes one. PURE.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/model/endpoint.h"
#include "lib/model/ip.h"

namespace anubis::config {

// The name of a network interface.
[[nodiscard]] base::Result<std::string> parse_interface(std::string_view text);

// F34: an allowed IP is nothing that can never be behind a peer.
[[nodiscard]] base::Status check_allowed_ip(const model::IpPrefix& range, const model::IpPrefix& side_prefix);

// Where a host is reached, by name or by an address that can be one host's outside of the side tunnel.
[[nodiscard]] base::Result<model::HostPort> parse_endpoint(std::string_view text, const model::IpPrefix& side_prefix);

}  // namespace anubis::config

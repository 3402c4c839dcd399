// What tells that this host is at home, as [roaming] of the configuration says it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/model/ip.h"
#include "lib/model/mac_address.h"

namespace anubis::roaming {

// NetworkManager's name of a connection, or its UUID.
struct ConnectionName {
  std::string text;

  bool operator==(const ConnectionName&) const = default;
};

// Any one of a home's marks tells it: an active connection, the MAC address of a gateway, a range that an address of
// this host lies in.
using Mark = std::variant<ConnectionName, model::MacAddress, model::IpPrefix>;

// By its form. What looks like an address or a range but is none is kInvalid, and so are addresses and ranges that
// would be found anywhere or nowhere; everything else is a connection's name.
base::Result<Mark> parse_mark(std::string_view text);

// As parse_mark() reads it.
[[nodiscard]] std::string to_string(const Mark& mark);

struct Settings {
  std::vector<Mark> home;  // none: nowhere is home
  // How long another place must be seen without a break before anything is done about it.
  base::Duration hold_down = std::chrono::seconds(5);

  bool operator==(const Settings&) const = default;
};

}  // namespace anubis::roaming

// What was tried, in the words of error messages.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/network/message.h"
#include "lib/network/network.h"
#include "lib/network/route_message.h"

namespace anubis::network {

// "main", or the number.
[[nodiscard]] std::string table_name(std::uint32_t table);
// "wg0", or "link 7" when there is none of that index.
[[nodiscard]] std::string link_name(std::uint32_t ifindex);
// "10.44.0.0/24 to wg0 in table 214", "throw 10.1.0.0/16 in table 214"
[[nodiscard]] std::string describe(const Route& route);
// "10.44.0.0/24 via 192.0.2.1 to eth0 in table main (protocol dhcp)"
[[nodiscard]] std::string describe(const RouteRecord& record);
// "rule 21400 (IPv4, to table main)"
[[nodiscard]] std::string describe(const Rule& rule);

// The error of a refusal: "cannot WHAT: Network is down (Nexthop device is not up)". kUnsupported instead of the
// kernel's many errnos where the reason is that IPv6 is off.
[[nodiscard]] base::Error refusal(const Answer& answer, std::string_view what);
[[nodiscard]] base::Error refusal(const Answer& answer, std::string_view what, model::Family family);

// IPv6 is absent from this kernel (ipv6.disable=1), so that nothing of it can be there.
[[nodiscard]] bool means_no_such_family(const Answer& answer);

}  // namespace anubis::network

// The address of a host, for files in which only addresses may stand.
#pragma once

#include <vector>

#include "anubis-cli/failure.h"
#include "lib/model/endpoint.h"

namespace anubis::cli {

// Asks the name server, unless the host is an address already; IPv4 where there is some, because not every network
// that a phone comes through has IPv6. The port must be there.
Outcome<model::Endpoint> resolve(const model::HostPort& host);

// All of its addresses that this host could reach, in the system's order, to be tried in turn. UNREACHABLE when there
// is none. The port must be there.
Outcome<std::vector<model::Endpoint>> resolve_all(const model::HostPort& host);

}  // namespace anubis::cli

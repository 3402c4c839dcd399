// Both bearer ports under further numbers (53, 443), where networks let nothing else out, while another program goes on
// serving the same number. docs/decisions/0018-two-tunnels-under-one-number.md says why it is done this way.
#pragma once

#include "firewall/policy.h"
#include "firewall/ruleset.h"

namespace anubis::firewall {

// Policy::also_listen as sets and chains; nothing without.
void add_also_listen(const Policy& policy, Ruleset& ruleset);

}  // namespace anubis::firewall

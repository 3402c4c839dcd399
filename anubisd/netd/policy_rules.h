// Brings the rules and throw routes of this network namespace to the policy, and takes them away.
#pragma once

#include "anubisd/netd/drift.h"
#include "lib/base/result.h"
#include "lib/network/network.h"
#include "lib/network/policy_routing.h"

namespace anubis::netd {

// Changes the least. Ours that are not in the policy go, in whatever table they stand; an empty policy takes away all.
// Where the host has no IPv6, its half is left out. drift: hears of what was missing and is back; null: nobody does.
base::Status apply_policy(network::Network& network, const network::PolicyRouting& policy, DriftQueue* drift);

}  // namespace anubis::netd

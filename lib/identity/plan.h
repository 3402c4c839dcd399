// Whether a new peer goes together with those that this host has, told before anything is written. Pure.
// config::load() decides in the end; here the words are for whoever adds a peer, not for whoever edits a file.
#pragma once

#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/identity/card.h"

namespace anubis::identity {

enum class Acquaintance {
  kNew,
  kKnown,  // a peer of that name has these keys
  kPlain,  // a peer of that name has the production key, and no Anubis, as far as was known
};

// kInvalid: it is this host's own card. kConflict: another peer has the name, or one of the keys.
[[nodiscard]] base::Result<Acquaintance> check_card(const config::Config& config, const Card& card,
                                                    const std::string& name);

// For the peer of that name. kConflict: another one has one of the ranges, or a part of it, and is no default route; it
// is named.
[[nodiscard]] base::Status check_ranges(const config::Config& config, const std::string& name,
                                        const std::vector<model::IpPrefix>& allowed_ips);

// The addresses, a range each.
[[nodiscard]] std::vector<model::IpPrefix> ranges_of(const std::vector<model::IpAddress>& addresses);

}  // namespace anubis::identity

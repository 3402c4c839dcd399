// Which suites this host allows for its messages. Internal to lib/config.
#pragma once

#include <functional>
#include <vector>

#include "lib/config/section.h"
#include "lib/crypto/suites.h"

namespace anubis::config {

// What the key `suites` names, each once, without those that the hardware lacks: of them there is a warning. Without
// the key, all that the hardware has. Empty when an error was reported.
[[nodiscard]] std::vector<crypto::Suite> read_suites(Section& section,
                                                     const std::function<bool(crypto::Suite)>& is_available);

}  // namespace anubis::config

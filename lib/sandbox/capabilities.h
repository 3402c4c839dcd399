// Capabilities of this process (capabilities(7)), by capset(2) and prctl(2).
#pragma once

#include <initializer_list>

#include "lib/base/result.h"

namespace anubis::sandbox {

enum class Capability : unsigned char { kNetAdmin = 12 };  // the numbers of linux/capability.h

// Effective, that is, it can be used now.
[[nodiscard]] bool has(Capability capability);

// What a program started from here could get, at the most, and so we by starting one: these. Where the process may not
// lower it (that takes CAP_SETPCAP), it stays as it is.
base::Status lower_bounding_set(std::initializer_list<Capability> kept);

// Gives up all others, for good: effective, permitted, inheritable, ambient. kPermission when it has not got one that
// it is to keep. Of the calling thread: call it while there is no other.
base::Status keep_capabilities(std::initializer_list<Capability> kept);

}  // namespace anubis::sandbox

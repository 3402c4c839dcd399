// Capabilities of this process (capabilities(7)), by capset(2) and prctl(2).
#pragma once

#include <initializer_list>

#include "lib/base/result.h"

namespace anubis::sandbox {

enum class Capability : unsigned char { kNetAdmin = 12 };  // the numbers of linux/capability.h

// Effective, that is, it can be used now.
[[nodiscard]] bool has(Capability capability);

// Gives up all others, for good: effective, permitted, inheritable, ambient, and, where the process may, the bounding
// set. kPermission when it has not got one that it is to keep. Of the calling thread: call it while there is no other.
base::Status keep_capabilities(std::initializer_list<Capability> kept);

}  // namespace anubis::sandbox

// One daemon a state directory. The kernel gives the lock back however the daemon ends.
#pragma once

#include <filesystem>

#include "lib/base/fd.h"
#include "lib/base/result.h"

namespace anubis::daemon {

// The lock lasts as long as the descriptor. The directory is made when it is missing. kExists: another daemon has it.
[[nodiscard]] base::Result<base::Fd> lock_state_directory(const std::filesystem::path& directory);

// The same, but gives a daemon that is about to end, with its anubis-netd, a few seconds to do so.
[[nodiscard]] base::Result<base::Fd> await_state_directory(const std::filesystem::path& directory);

}  // namespace anubis::daemon

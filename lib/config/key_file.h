// Private and preshared keys stand in files of their own.
#pragma once

#include <filesystem>

#include "lib/base/result.h"
#include "lib/base/secret.h"
#include "lib/crypto/keys.h"

namespace anubis::config {

// The key in a file that nobody but its owner, who is root or ourselves, may read or write. What is checked is the
// opened file: it does not matter what happens to the name meanwhile. Symbolic links, FIFOs and devices are refused,
// and so is the key of zeros, which WireGuard takes for "no key".
base::Result<base::Secret<crypto::kKeySize>> read_secret_file(const std::filesystem::path& file);

}  // namespace anubis::config

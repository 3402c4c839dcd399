// What a wg-quick file may say, and no configuration of ours. Internal to lib/interop. PURE.
#pragma once

#include <string>

#include "lib/base/result.h"
#include "lib/config/wg_quick.h"
#include "lib/model/ip.h"

namespace anubis::interop {

// kInvalid, with a line "FILE:LINE: key KEY: what is wrong; what to do" for each fault. The file has a private key.
[[nodiscard]] base::Status check_importable(const config::WgQuickFile& file, const std::string& name);

// Why a file that has no private key has none, and what to do.
[[nodiscard]] base::Error without_private_key(const config::WgQuickFile& file, const std::string& name,
                                              const std::string& interface);

}  // namespace anubis::interop

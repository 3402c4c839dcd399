// What is different for the users of a wg-quick file once Anubis has its tunnel, a sentence each. Internal to
// lib/interop. PURE.
#pragma once

#include <string>
#include <vector>

#include "lib/config/wg_quick.h"
#include "lib/interop/import.h"

namespace anubis::interop {

// Of the [Interface]; of the peers only whether one has everything. `names`: the peers'.
[[nodiscard]] std::vector<std::string> notes_of_interface(const config::WgQuickFile& file,
                                                          const std::vector<std::string>& names,
                                                          const ImportSettings& settings);

}  // namespace anubis::interop

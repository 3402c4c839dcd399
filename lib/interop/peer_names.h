// What the peers of a wg-quick file are called: such files have no names, but comments that their authors or tools
// wrote. Internal to lib/interop. PURE.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/config/wg_quick.h"

namespace anubis::interop {

// One for each of the file's peers, all different and none of them `taken`, fit for the configuration: from a comment
// beside the [Peer], else the endpoint's name, else the file's (`file_stem`, without ".conf") where it is of one server
// alone, else peer1, peer2, …. Of several comments counts first what calls itself a name ("# Name = alice"), then what
// stands in the [Peer] above its keys, then the nearest above it without an empty line between.
[[nodiscard]] std::vector<std::string> names_of_peers(std::string_view text, const config::WgQuickFile& file,
                                                      std::string_view taken, std::string_view file_stem);

}  // namespace anubis::interop

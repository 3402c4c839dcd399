// What the peers of a wg-quick file are called: such files have no names, but comments that their authors or tools
// wrote. Internal to lib/interop. PURE.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/config/wg_quick.h"

namespace anubis::interop {

// One for each of the file's peers, all different and none of them `taken`, fit for the configuration: from a comment
// before or in the [Peer] ("# Name = alice", "### Client alice", "### begin alice ###"), else the endpoint's name, else
// peer1, peer2, ….
[[nodiscard]] std::vector<std::string> names_of_peers(std::string_view text, const config::WgQuickFile& file,
                                                      std::string_view taken);

}  // namespace anubis::interop

// Texts that people take for files of wg-quick. Internal to lib/config. PURE.
#pragma once

#include <string>
#include <string_view>

namespace anubis::config {

// What the text is instead, and what to do: "is what `wg show` prints, …". "": it may be a file of wg-quick.
[[nodiscard]] std::string foreign_format(std::string_view text);

// Of AmneziaWG's keys, which no WireGuard knows.
[[nodiscard]] bool is_amnezia_key(std::string_view key);

}  // namespace anubis::config

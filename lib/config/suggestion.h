// What somebody who wrote an unknown key may have meant. Internal to lib/config.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace anubis::config {

// "did you mean KEY?", or, where nothing is near, "known here: …".
[[nodiscard]] std::string suggestion(std::string_view key, std::vector<std::string_view> known);

}  // namespace anubis::config

// What a picture of a QR code shows, for comparison.
#pragma once

#include <string>
#include <vector>

#include "lib/qr/code.h"

namespace anubis::qr::testing {

// A row of '#' and '.' each, the quiet zone included.
using Matrix = std::vector<std::string>;

[[nodiscard]] Matrix matrix_of(const Code& code);
// What another program reads in a picture's file.
[[nodiscard]] std::string scan(const base::WipedBytes& png);

}  // namespace anubis::qr::testing

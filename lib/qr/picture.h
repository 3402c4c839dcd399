// A QR code as a file. PURE: the bytes of the file come out, and it is the caller who says where they go.
#pragma once

#include "lib/base/result.h"
#include "lib/base/secret_text.h"
#include "lib/base/wiped_bytes.h"
#include "lib/qr/code.h"

namespace anubis::qr {

// Black on white, a module is a unit of the drawing; it may be drawn in any size.
[[nodiscard]] base::SecretText to_svg(const Code& code);

constexpr std::size_t kPngModule = 8;  // pixels on each side
[[nodiscard]] base::Result<base::WipedBytes> to_png(const Code& code);

}  // namespace anubis::qr

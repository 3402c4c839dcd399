// RFC 4648's base32 in small letters, without padding: nothing in it that mail, chat or a shell takes for anything
// else, and which survives being read aloud.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/wiped_bytes.h"

namespace anubis::identity {

[[nodiscard]] std::string to_base32(std::span<const std::uint8_t> bytes);
// Capital letters count as small ones. None: another character, or bits at the end that no encoder leaves there.
[[nodiscard]] std::optional<base::WipedBytes> from_base32(std::string_view text);

}  // namespace anubis::identity

// The words of a wg-quick file. Internal to lib/config. PURE.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace anubis::config {

// Without the blanks and tabs at its ends.
[[nodiscard]] std::string_view trim(std::string_view text);

// Whatever their case.
[[nodiscard]] bool same_word(std::string_view a, std::string_view b);

// What a slip of a key of the file looks like. Anything else may be half of a base64 key, which no error must repeat.
[[nodiscard]] bool is_word(std::string_view text);

// Whether there is so long a part of a base64 key in it that no error must repeat it.
[[nodiscard]] bool may_hold_key(std::string_view text);

// A base64 key in a host's place can look like a host's name, but no host has so long a one without a dot.
[[nodiscard]] bool is_key_not_host(std::string_view host);

// Decimal without leading zeros, which others would take for octal; hexadecimal behind "0x".
[[nodiscard]] std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t min, std::uint32_t max,
                                                        bool may_be_hex);

}  // namespace anubis::config

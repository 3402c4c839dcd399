// Spans of time as people write and read them: in the configuration, on the command line, in displays.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace anubis::base {

// The longest that is understood: beyond it somebody has mistyped. Its seconds fit into 32 bits.
constexpr Duration kMaxDuration = std::chrono::hours(24) * 36'500;

// "90s", "15m", "2h", "7d", "1h30m": whole numbers with units, the larger unit first, none twice. kInvalid otherwise,
// with a sentence that begins with the quoted text.
Result<Duration> parse_duration(std::string_view text);

// "45 ms", "12 s", "3 min 20 s", "59 min", "2 h 5 min", "7 d": what matters of it, cut, never rounded up. Negative: "0
// s".
[[nodiscard]] std::string format_duration(Duration duration);

}  // namespace anubis::base

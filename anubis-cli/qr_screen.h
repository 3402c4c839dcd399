// A QR code that is secret, on the terminal: on its alternate screen, gone when somebody types q or a signal comes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/qr/code.h"

namespace anubis::cli {

// Why it cannot be shown, and what to do about it, INSTEAD ("have ...") included; nothing: it can.
[[nodiscard]] std::optional<std::string> why_not_on_terminal(const qr::Code& code, std::string_view instead);

// Shows it with CAPTION, a printable line, below. Returns the signal that ended it; 0: q was typed.
[[nodiscard]] base::Result<int> show_on_terminal(const qr::Code& code, const std::string& caption);

}  // namespace anubis::cli

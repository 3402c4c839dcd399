#include "lib/config/name.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace anubis::config {
namespace {

using base::ErrorCode;
using base::fail;

bool is_name_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '.' || character == '_' || character == '-';
}

}  // namespace

base::Result<std::string> parse_name(std::string_view text) {
  constexpr std::size_t kMaxName = 63;  // as a label of the DNS
  if (text.empty() || text.size() > kMaxName || text.front() == '-' || text.front() == '.' ||
      !std::ranges::all_of(text, is_name_character)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("\"{}\" cannot be a name: 1 to 63 letters, digits, dots, underscores and hyphens, of which "
                            "neither a dot nor a hyphen comes first",
                            text.substr(0, kMaxName)));
  }
  return std::string(text);
}

}  // namespace anubis::config

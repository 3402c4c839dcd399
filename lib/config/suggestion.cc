#include "lib/config/suggestion.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lib/base/edit_distance.h"

namespace anubis::config {
namespace {

// Longer than any key of ours: what is longer is no slip for one.
constexpr std::size_t kMaxCompared = 64;

// AllowedIPs, allowed-ips and allowed_ips are as good as the same word.
std::string normalised(std::string_view key) {
  std::string out;
  for (const char character : key) {
    if (character != '_' && character != '-') {
      out.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(character))));
    }
  }
  return out;
}

}  // namespace

std::string suggestion(std::string_view key, std::vector<std::string_view> known) {
  const std::string wanted = normalised(key.substr(0, kMaxCompared));
  std::string_view nearest;
  std::size_t least = 1 + base::greatest_slip(wanted);
  for (const std::string_view candidate : known) {
    const std::size_t distance = base::edit_distance(wanted, normalised(candidate));
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  if (!nearest.empty()) return fmt::format("did you mean {}?", nearest);
  std::ranges::sort(known);
  return fmt::format("known here: {}", fmt::join(known, ", "));
}

}  // namespace anubis::config

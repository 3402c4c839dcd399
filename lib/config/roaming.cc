#include "lib/config/roaming.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "lib/base/duration.h"
#include "lib/model/ip.h"

namespace anubis::config {
namespace {

constexpr std::string_view kHome = "home";

base::Result<base::Duration> parse_hold_down(std::string_view text) {
  constexpr base::Duration kLongest = std::chrono::hours(1);
  auto hold_down = base::parse_duration(text);
  if (hold_down && *hold_down > kLongest) {
    return base::fail(base::ErrorCode::kInvalid,
                      fmt::format("\"{}\" is too long; a place is taken for another after 1h at most", text));
  }
  return hold_down;
}

}  // namespace

roaming::Settings read_roaming(Section& section) {
  roaming::Settings settings;
  for (const auto& [text, place] : section.texts(kHome)) {
    const auto mark = roaming::parse_mark(text);
    if (!mark) {
      section.error(place, kHome, mark.error().message);
      continue;
    }
    const auto* const range = std::get_if<model::IpPrefix>(&*mark);
    if (range != nullptr && model::InterfaceAddress::parse(text)->address != range->address()) {
      section.warning(place, kHome, fmt::format("{} means {}; write that", text, range->to_string()));
    }
    if (std::ranges::find(settings.home, *mark) == settings.home.end()) settings.home.push_back(*mark);
  }
  if (const auto hold_down = section.parsed("hold_down", parse_hold_down)) settings.hold_down = hold_down->value;
  section.finish();
  return settings;
}

}  // namespace anubis::config

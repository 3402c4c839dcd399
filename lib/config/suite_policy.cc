#include "lib/config/suite_policy.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "lib/config/suggestion.h"

namespace anubis::config {
namespace {

constexpr std::string_view kKey = "suites";

base::Result<crypto::Suite> parse_suite(std::string_view text) {
  if (const auto suite = crypto::find_suite(text)) return *suite;
  const auto known = crypto::known_suites();
  std::vector<std::string_view> names(known.size());
  std::ranges::transform(known, names.begin(), crypto::name_of);
  return base::fail(base::ErrorCode::kInvalid,
                    fmt::format("\"{}\" is no suite that is known; {}", text, suggestion(text, names)));
}

}  // namespace

std::vector<crypto::Suite> read_suites(Section& section, const std::function<bool(crypto::Suite)>& is_available) {
  std::vector<crypto::Suite> suites;
  if (!section.has(kKey)) {
    std::ranges::copy_if(crypto::known_suites(), std::back_inserter(suites), is_available);
  }
  const auto named = section.parsed_all(kKey, parse_suite);
  for (const auto& [suite, place] : named) {
    if (!is_available(suite)) {
      section.warning(place, kKey,
                      fmt::format("{} needs instructions that this hardware does not have: it is left out",
                                  crypto::name_of(suite)));
    } else if (std::ranges::find(suites, suite) == suites.end()) {
      suites.push_back(suite);
    }
  }
  if (!suites.empty()) return suites;

  const Value& value = *section.value(kKey);
  const auto* array = std::get_if<Array>(&value.data);
  if (array != nullptr && array->items.size() == named.size()) {  // else an error has been reported already
    section.error(value.place, kKey,
                  array->items.empty() ? "allows nothing; name at least one, or leave the key out to allow all"
                                       : fmt::format("leaves none that this hardware can compute; add {}",
                                                     crypto::name_of(crypto::Suite::kXChaCha20Poly1305)));
  }
  return suites;
}

}  // namespace anubis::config

#include "lib/base/duration.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace anubis::base {
namespace {

using std::chrono::seconds;

struct Unit {
  char letter;
  std::int64_t seconds;
};
constexpr std::array kUnits{Unit{'d', 86'400}, Unit{'h', 3'600}, Unit{'m', 60}, Unit{'s', 1}};  // largest first
constexpr std::int64_t kMaxSeconds = std::chrono::duration_cast<seconds>(kMaxDuration).count();
constexpr std::int64_t kSecondsMatterBelow = 600;

tl::unexpected<Error> refuse(std::string_view text, std::string_view reason) {
  constexpr std::size_t kShown = 40;
  std::string message = "\"" + std::string(text.substr(0, kShown)) + (text.size() > kShown ? "…" : "") + "\" ";
  return fail(ErrorCode::kInvalid, message.append(reason));
}

// "2 h 5 min", or "2 h" where nothing of the smaller unit is left.
std::string in_units(std::int64_t large, const char* large_unit, std::int64_t small, const char* small_unit) {
  std::string text = std::to_string(large).append(" ").append(large_unit);
  if (small != 0) text.append(" ").append(std::to_string(small)).append(" ").append(small_unit);
  return text;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  constexpr const char* kForm = "is not a duration: write it as 90s, 15m, 2h, 7d or 1h30m";
  if (text.empty()) return refuse(text, kForm);
  std::int64_t total = 0;
  auto unit = kUnits.begin();
  for (auto rest = text; !rest.empty();) {
    if (rest.front() < '0' || rest.front() > '9') return refuse(text, kForm);  // a sign, or no number at all
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    const auto digits = static_cast<std::size_t>(end - rest.data());
    if (error == std::errc::result_out_of_range || number > kMaxSeconds) {
      return refuse(text, "is too long: at most 36500d");
    }
    if (digits == rest.size()) return refuse(text, "lacks its unit: put s, m, h or d behind the number");
    while (unit != kUnits.end() && unit->letter != rest[digits]) ++unit;
    if (unit == kUnits.end()) return refuse(text, kForm);
    // Both factors are below 2^32: no overflow.
    total += number * unit->seconds;
    if (total > kMaxSeconds) return refuse(text, "is too long: at most 36500d");
    ++unit;
    rest.remove_prefix(digits + 1);
  }
  return Duration(seconds(total));
}

std::string format_duration(Duration duration) {
  if (duration <= Duration::zero()) return "0 s";
  const auto total = std::chrono::duration_cast<seconds>(duration).count();
  if (total == 0) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) + " ms";
  }
  if (total < 60) return std::to_string(total) + " s";
  if (total < kSecondsMatterBelow) return in_units(total / 60, "min", total % 60, "s");
  if (total < 3'600) return std::to_string(total / 60) + " min";
  if (total < 86'400) return in_units(total / 3'600, "h", total % 3'600 / 60, "min");
  return in_units(total / 86'400, "d", total % 86'400 / 3'600, "h");
}

}  // namespace anubis::base

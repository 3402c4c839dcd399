#include "anubisd/session_store.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "lib/wire/request.h"

namespace anubis::daemon {
namespace {

using base::Time;
using gate::Insistence;
using gate::Remembered;

constexpr std::string_view kFirstWords = "anubis-sessions 2 ";
constexpr std::string_view kNone = "-";
constexpr std::string_view kGone = "gone";
constexpr char kFulfilled = '+';
// The longest that a configuration may say: 36500d.
constexpr base::Duration kLongestLease = std::chrono::hours(24) * 36500;

constexpr std::array<std::pair<std::string_view, Insistence>, 3> kInsistences{
    {{"once", Insistence::kOnce}, {"always", Insistence::kAlways}, {"persistent", Insistence::kPersistent}}};

struct State {
  std::string_view word;
  bool up = false;
  bool renewing = false;
  bool peer_may_be_up = false;
  bool down_for_good = false;
};
constexpr std::array<State, 5> kStates{{{.word = "up", .up = true},
                                        {.word = "up-renewing", .up = true, .renewing = true},
                                        {.word = "unsettled", .peer_may_be_up = true},
                                        {.word = "unsettled-for-good", .peer_may_be_up = true, .down_for_good = true},
                                        {.word = "away"}}};

std::string_view word_of(const Remembered& facts) {
  for (const State& state : kStates) {
    if (state.up == facts.up && state.renewing == facts.renewing && state.peer_may_be_up == facts.peer_may_be_up &&
        state.down_for_good == facts.down_for_good) {
      return state.word;
    }
  }
  return facts.up ? "up" : "unsettled";
}

std::string word_of(const std::optional<Time>& time) {
  return time ? fmt::to_string(time->time_since_epoch().count()) : std::string(kNone);
}

std::string word_of(Insistence insistence, bool fulfilled) {
  for (const auto& [word, each] : kInsistences) {
    if (each == insistence) return std::string(word) + (fulfilled ? std::string(1, kFulfilled) : "");
  }
  return std::string(kNone);
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// False: neither a time nor "-".
bool read_time(std::string_view word, std::optional<Time>& time) {
  if (word == kNone) return true;
  const auto number = parse_number(word);
  if (number) time = Time(base::Duration(*number));
  return number.has_value();
}

// Exactly so many words with one blank between them.
template <std::size_t kWords>
std::optional<std::array<std::string_view, kWords>> split(std::string_view line) {
  std::array<std::string_view, kWords> words;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    words[i] = line.substr(0, blank);
    line.remove_prefix(blank + 1);
  }
  words.back() = line;
  return words;
}

bool read_state(std::string_view word, Remembered& facts) {
  for (const State& state : kStates) {
    if (state.word != word) continue;
    facts.up = state.up;
    facts.renewing = state.renewing;
    facts.peer_may_be_up = state.peer_may_be_up;
    facts.down_for_good = state.down_for_good;
    return true;
  }
  return false;
}

// False: no wish is written so.
bool read_wish(std::string_view word, std::string_view lease, std::string_view until, std::optional<gate::Wish>& wish) {
  if (word == kNone) return lease == kNone && until == kNone;
  gate::Wish read;
  read.fulfilled = word.ends_with(kFulfilled);
  if (read.fulfilled) word.remove_suffix(1);
  bool is_known = false;
  for (const auto& [each, insistence] : kInsistences) {
    if (each != word) continue;
    read.insistence = insistence;
    is_known = true;
  }
  if (!is_known || !read_time(until, read.until)) return false;
  if (lease != kNone) {
    const auto seconds = parse_number(lease);
    if (!seconds || *seconds > wire::kMaxLease.count()) return false;
    read.lease = std::chrono::seconds(*seconds);
  }
  wish = read;
  return true;
}

std::optional<Remembered> parse_facts(std::string_view line, Time now) {
  const auto words = split<6>(line);
  if (!words) return std::nullopt;
  const auto& [state, since, lease_end, wish, wish_lease, wish_until] = *words;
  Remembered facts;
  std::optional<Time> began;
  if (!read_state(state, facts) || !read_time(since, began) || !read_time(lease_end, facts.lease_end) ||
      !read_wish(wish, wish_lease, wish_until, facts.wish)) {
    return std::nullopt;
  }
  facts.since = began.value_or(Time{});
  const bool can_be = facts.since <= now && (!facts.lease_end || *facts.lease_end <= now + kLongestLease);
  return can_be ? std::optional(facts) : std::nullopt;
}

// What it still means after the machine has started anew.
std::optional<Remembered> of_earlier_boot(Remembered facts) {
  facts.renewing = false;
  facts.since = {};
  facts.lease_end.reset();
  if (facts.wish && (facts.wish->insistence != Insistence::kPersistent || facts.wish->until)) facts.wish.reset();
  if (!facts.up && !facts.peer_may_be_up && !facts.wish) return std::nullopt;
  return facts;
}

// False: it is none of ours.
bool read_session(std::string_view line, bool same_boot, Time now, RememberedSessions& sessions) {
  const auto blank = line.find(' ');
  if (blank == std::string_view::npos) return false;
  const auto parsed = crypto::parse_public_key(line.substr(0, blank));
  if (!parsed) return false;
  const crypto::ProductionPublicKey key(*parsed);
  const std::string_view rest = line.substr(blank + 1);
  if (rest == kGone) {
    sessions.erase(key);
    return true;
  }
  // The clock of another boot says nothing of times that were true then.
  auto facts = parse_facts(rest, same_boot ? now : Time::max() - kLongestLease);
  if (!facts) return false;
  if (!same_boot) facts = of_earlier_boot(*facts);
  if (facts) {
    sessions.insert_or_assign(key, *facts);
  } else {
    sessions.erase(key);
  }
  return true;
}

}  // namespace

std::string format_first_line(std::string_view boot_id) { return fmt::format("{}{}\n", kFirstWords, boot_id); }

std::string format_session(const crypto::ProductionPublicKey& key, const std::optional<Remembered>& facts) {
  if (!facts) return fmt::format("{} {}\n", key.to_base64(), kGone);
  const auto since = facts->since == Time{} ? std::nullopt : std::optional(facts->since);
  std::string wish = fmt::format("{0} {0} {0}", kNone);
  if (facts->wish) {
    wish = fmt::format("{} {} {}", word_of(facts->wish->insistence, facts->wish->fulfilled),
                       facts->wish->lease ? fmt::to_string(facts->wish->lease->count()) : std::string(kNone),
                       word_of(facts->wish->until));
  }
  return fmt::format("{} {} {} {} {}\n", key.to_base64(), word_of(*facts), word_of(since), word_of(facts->lease_end),
                     wish);
}

base::Result<ParsedSessions> parse_sessions(std::string_view text, std::string_view boot_id, Time now) {
  const auto first_end = text.find('\n');
  if (first_end == std::string_view::npos || !text.starts_with(kFirstWords)) {
    return base::fail(base::ErrorCode::kInvalid, "its first line is not as anubisd writes it");
  }
  const bool same_boot = text.substr(0, first_end).substr(kFirstWords.size()) == boot_id;
  ParsedSessions parsed;
  for (text.remove_prefix(first_end + 1); !text.empty();) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) break;
    if (!read_session(text.substr(0, end), same_boot, now, parsed.sessions)) ++parsed.skipped;
    text.remove_prefix(end + 1);
  }
  return parsed;
}

}  // namespace anubis::daemon

#include "anubisd/session_store.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <system_error>

#include <fmt/format.h>

namespace anubis::daemon {
namespace {

using base::Time;

constexpr std::string_view kFirstWords = "anubis-sessions 1 ";
constexpr std::string_view kInitiator = "initiator";
constexpr std::string_view kResponder = "responder";
constexpr std::string_view kRenewing = "-renewing";
constexpr std::string_view kUntilDown = "-";
// The longest that a configuration may say: 36500d.
constexpr base::Duration kLongestLease = std::chrono::hours(24) * 36500;

std::int64_t nanoseconds(Time time) { return time.time_since_epoch().count(); }

std::optional<Time> parse_time(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return Time(base::Duration(value));
}

// Exactly so many words with one blank between them.
std::optional<std::array<std::string_view, 4>> split(std::string_view line) {
  std::array<std::string_view, 4> words;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    words[i] = line.substr(0, blank);
    line.remove_prefix(blank + 1);
  }
  words.back() = line;
  return words;
}

std::optional<std::pair<crypto::ProductionPublicKey, gate::Remembered>> parse_session(std::string_view line, Time now) {
  const auto words = split(line);
  if (!words) return std::nullopt;
  auto [key_word, role, since_word, end_word] = *words;
  const bool renewing = role.ends_with(kRenewing);
  if (renewing) role.remove_suffix(kRenewing.size());
  const auto key = crypto::parse_public_key(key_word);
  const auto since = parse_time(since_word);
  if (!key || (role != kInitiator && role != kResponder) || !since || *since > now) return std::nullopt;
  gate::Remembered session{.initiator = role == kInitiator, .since = *since, .renewing = renewing};
  if (end_word != kUntilDown) {
    session.lease_end = parse_time(end_word);
    if (!session.lease_end || *session.lease_end > now + kLongestLease) {
      return std::nullopt;
    }
  }
  return std::pair(crypto::ProductionPublicKey(*key), session);
}

base::Error malformed(std::size_t line) {
  return {base::ErrorCode::kInvalid, fmt::format("line {} is not as anubisd writes it", line)};
}

}  // namespace

std::string format_sessions(const RememberedSessions& sessions, std::string_view boot_id) {
  std::string text = fmt::format("{}{}\n", kFirstWords, boot_id);
  for (const auto& [key, session] : sessions) {
    const std::string end =
        session.lease_end ? fmt::to_string(nanoseconds(*session.lease_end)) : std::string(kUntilDown);
    fmt::format_to(std::back_inserter(text), "{} {}{} {} {}\n", key.to_base64(),
                   session.initiator ? kInitiator : kResponder, session.renewing ? kRenewing : "",
                   nanoseconds(session.since), end);
  }
  return text;
}

base::Result<RememberedSessions> parse_sessions(std::string_view text, std::string_view boot_id, Time now) {
  RememberedSessions sessions;
  for (std::size_t number = 1; number == 1 || !text.empty(); ++number) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return base::fail(malformed(number));
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (number == 1) {
      if (!line.starts_with(kFirstWords)) return base::fail(malformed(number));
      if (line.substr(kFirstWords.size()) != boot_id) return RememberedSessions();
      continue;
    }
    const auto session = parse_session(line, now);
    if (!session || !sessions.insert(*session).second) return base::fail(malformed(number));
  }
  return sessions;
}

}  // namespace anubis::daemon

#include "lib/interop/peer_names.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <set>

#include <fmt/format.h>

namespace anubis::interop {
namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr std::size_t kMostWords = 3;  // of a name; what has more is prose
constexpr std::size_t kLongest = 48;   // leaves room for a number behind it

bool is_letter_or_digit(char character) { return std::isalnum(static_cast<unsigned char>(character)) != 0; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
  return out;
}

std::string_view trimmed(std::string_view text, std::string_view what = kBlanks) {
  const auto first = text.find_first_not_of(what);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(what) - first + 1);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!(text = trimmed(text)).empty()) {
    const auto end = std::min(text.find_first_of(kBlanks), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

// With everything that a name may not have replaced by single hyphens. ASCII only: names are typed at a shell.
std::string fit(std::string_view text) {
  std::string name;
  for (const char character : text) {
    const bool is_fine = is_letter_or_digit(character) || character == '.' || character == '_' || character == '-';
    const char fitting = is_fine ? character : '-';
    if (fitting == '-' && (name.empty() || name.back() == '-')) continue;
    if (fitting == '.' && name.empty()) continue;
    name.push_back(fitting);
  }
  name.resize(std::min(name.size(), kLongest));
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
  return name;
}

// The name in a comment; "" when it is about something else.
std::string name_in(std::string_view comment) {
  static constexpr std::string_view kIntroductions[] = {"name", "client", "peer",   "friendly_name", "friendlyname",
                                                        "user", "begin",  "device", "hostname",      "host"};
  comment = trimmed(comment, "# \t\r-=*;");
  const auto end_of_key = comment.find_first_of("=:");
  if (end_of_key != std::string_view::npos) {
    const std::string key = lower(trimmed(comment.substr(0, end_of_key)));
    // "AllowedIPs = …", "Created: …"
    if (std::ranges::find(kIntroductions, key) == std::end(kIntroductions)) return {};
    comment = trimmed(comment.substr(end_of_key + 1));
  }
  auto words = words_of(comment);
  if (words.size() > 1 && std::ranges::find(kIntroductions, lower(words.front())) != std::end(kIntroductions))
    words.erase(words.begin());
  const auto aside = std::ranges::find_if(words, [](std::string_view word) { return word.starts_with('('); });
  words.erase(aside, words.end());
  if (words.empty() || words.size() > kMostWords) return {};
  std::string name;
  for (const std::string_view word : words) name.append(name.empty() ? "" : " ").append(word);
  return fit(name);
}

// For each [Peer], the first comment that holds a name. One that stands behind a section's keys belongs to what
// follows.
std::vector<std::string> names_in_comments(std::string_view text) {
  std::vector<std::string> names;
  std::string pending;
  bool in_peer = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('#')) {
      if (pending.empty()) pending = name_in(line);
    } else if (line.starts_with('[')) {
      in_peer = lower(line).starts_with("[peer]");
      if (in_peer) names.push_back(std::exchange(pending, {}));
      pending.clear();
    } else if (!line.empty()) {
      if (in_peer && names.back().empty()) names.back() = pending;
      pending.clear();
    }
  }
  return names;
}

std::string name_in_endpoint(const config::WgQuickPeer& peer) {
  if (!peer.endpoint || peer.endpoint->literal()) return {};
  return fit(std::string_view(peer.endpoint->host).substr(0, peer.endpoint->host.find('.')));
}

// Names that differ in case alone, or by a "wg" behind them, are one to the configuration.
std::string identity_of(std::string_view name) {
  std::string plain = lower(name);
  while (plain.size() > 2 && plain.ends_with("wg")) plain.resize(plain.size() - 2);
  return plain;
}

}  // namespace

std::vector<std::string> names_of_peers(std::string_view text, const config::WgQuickFile& file,
                                        std::string_view taken) {
  auto names = names_in_comments(text);
  names.resize(file.peers.size());
  std::set<std::string> used{identity_of(taken)};
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string& name = names[i];
    if (name.empty()) name = name_in_endpoint(file.peers[i]);
    if (name.empty()) name = fmt::format("peer{}", i + 1);
    const std::string base = name;
    for (unsigned number = 2; !used.insert(identity_of(name)).second; ++number)
      name = fmt::format("{}-{}", base, number);
  }
  return names;
}

}  // namespace anubis::interop

#include "lib/interop/peer_comment.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <span>
#include <vector>

#include "lib/model/ip.h"

namespace anubis::interop {
namespace {

using Kind = PeerComment::Kind;

constexpr std::string_view kOrnaments = "#-=*~;_";
constexpr std::size_t kMostWords = 3;     // of a name without a key; what has more is prose
constexpr std::size_t kLongest = 48;      // leaves room for a number behind it
constexpr std::size_t kLongestWord = 40;  // a key of WireGuard has 44 characters, and none must become a name

// Before a name, with '=', ':' or a blank behind them.
constexpr std::string_view kIntroductions[] = {"name",        "friendly_name", "friendlyname", "display name", "client",
                                               "client name", "peer",          "peer name",    "username",     "user",
                                               "begin",       "begin_peer",    "device",       "device name",  "owner",
                                               "hostname",    "host"};
constexpr std::string_view kClosings[] = {"end", "end_peer", "end_client"};
// Above several peers.
constexpr std::string_view kHeadings[] = {"peers", "clients", "users", "devices", "hosts", "phones", "laptops"};
// No name begins with one of wg's own words.
constexpr std::string_view kWireGuardWords[] = {"privatekey",   "listenport", "fwmark",   "address",
                                                "dns",          "mtu",        "table",    "preup",
                                                "postup",       "predown",    "postdown", "publickey",
                                                "presharedkey", "allowedips", "endpoint", "persistentkeepalive",
                                                "saveconfig",   "interface"};
constexpr std::string_view kProse[] = {"is",   "are",  "to",    "for",   "this", "these", "your",
                                       "from", "only", "below", "above", "not",  "will",  "must"};

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!(text = trimmed(text)).empty()) {
    const auto end = std::min(text.find_first_of(kBlanks), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

bool is_among(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, lower(word)) != words.end();
}

std::string_view before(std::string_view text, std::string_view mark) { return text.substr(0, text.find(mark)); }

PeerComment named(Kind kind, std::string_view text) {
  const auto words = words_of(text);
  const bool may_hold_key = std::ranges::any_of(words, [](auto word) { return word.size() > kLongestWord; });
  std::string name = may_hold_key ? "" : fit_peer_name(text);
  return name.empty() ? PeerComment{} : PeerComment{kind, std::move(name)};
}

// {"name": "Alice", …}
std::string_view name_in_json(std::string_view json) {
  constexpr std::string_view kKey = "\"name\"";
  const auto key = json.find(kKey);
  if (key == std::string_view::npos) return {};
  json.remove_prefix(key + kKey.size());
  json.remove_prefix(std::min(json.find('"'), json.size() - 1) + 1);
  return before(json, "\"");
}

// "Name = Bob's big old laptop (at home)", of any number of words; "11: android > wgclient_android.conf".
PeerComment classify_keyed(std::string_view key, std::string_view value) {
  key = trimmed(key, "# \t\r");
  if (lower(key) == "friendly_json") return named(Kind::kKeyed, name_in_json(value));
  constexpr std::string_view kOfPortal = "WGP- ";  // "# -WGP- Display name: alice"
  if (key.starts_with(kOfPortal)) key.remove_prefix(kOfPortal.size());
  if (is_among(kIntroductions, key)) return named(Kind::kKeyed, before(value, "("));
  const bool is_number = std::ranges::all_of(key, [](unsigned char byte) { return std::isdigit(byte) != 0; });
  const auto arrow = value.find(" > ");
  if (is_number && arrow != std::string_view::npos) return named(Kind::kName, value.substr(0, arrow));
  return {};  // "AllowedIPs = …", "Created: …"
}

PeerComment classify_words(std::string_view text) {
  auto words = words_of(before(text, "("));
  if (words.size() > 1 && is_among(kIntroductions, words.front())) words.erase(words.begin());
  if (words.empty() || words.size() > kMostWords) return {};
  const bool is_prose = std::ranges::any_of(words, [](auto word) { return is_among(kProse, word); });
  if (is_prose || std::string_view(".,!?:").find(words.back().back()) != std::string_view::npos) return {};
  return named(Kind::kName, {words.front().begin(), words.back().end()});
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
  return out;
}

std::string_view trimmed(std::string_view text, std::string_view what) {
  const auto first = text.find_first_not_of(what);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(what) - first + 1);
}

PeerComment classify_comment(std::string_view comment) {
  const std::string_view line = trimmed(comment, "# \t\r");
  const std::string_view text = trimmed(trimmed(line, kOrnaments));
  const auto words = words_of(text);
  if (words.empty() || text.starts_with('[')) return {Kind::kCloses};
  const bool is_ornate = line.front() != text.front() && line.back() != text.back();  // "--- Phones ---"
  const std::string_view first = words.front();
  if (is_ornate || is_among(kClosings, first) || is_among(kHeadings, first)) return {Kind::kCloses};

  const std::string_view bare = trimmed(first, ",;:=");
  if (is_among(kWireGuardWords, before(bare, "=")) || model::IpPrefix::parse(bare)) return {};
  const std::string_view item = before(text, " / ");  // "alice / alice@example.net / Created: …", of wg-gen-web
  const auto end_of_key = item.find_first_of("=:");
  if (end_of_key == std::string_view::npos) return classify_words(item);
  return classify_keyed(item.substr(0, end_of_key), trimmed(item.substr(end_of_key + 1)));
}

std::string fit_peer_name(std::string_view text) {
  std::string name;
  for (const char character : text) {
    const bool is_fine = std::isalnum(static_cast<unsigned char>(character)) != 0 ||
                         std::string_view("._-").find(character) != std::string_view::npos;
    const char fitting = is_fine ? character : '-';
    if (fitting == '-' && (name.empty() || name.back() == '-')) continue;
    if (fitting == '.' && name.empty()) continue;
    name.push_back(fitting);
  }
  name.resize(std::min(name.size(), kLongest));
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
  return name;
}

}  // namespace anubis::interop

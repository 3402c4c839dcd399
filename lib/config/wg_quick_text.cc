#include "lib/config/wg_quick_text.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>

namespace anubis::config {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char one, char other) {
    return std::tolower(static_cast<unsigned char>(one)) == std::tolower(static_cast<unsigned char>(other));
  });
}

bool is_word(std::string_view text) {
  constexpr std::size_t kMaxWord = 24;
  return !text.empty() && text.size() <= kMaxWord &&
         std::ranges::all_of(text, [](char character) { return std::isalpha(static_cast<unsigned char>(character)); });
}

bool is_key_not_host(std::string_view host) {
  constexpr std::size_t kCharacters = 43;  // and a '='
  return host.size() >= kCharacters && host.find('.') == std::string_view::npos && may_hold_key(host);
}

std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t min, std::uint32_t max,
                                          bool may_be_hex) {
  int base = 10;
  if (may_be_hex && (text.starts_with("0x") || text.starts_with("0X"))) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.starts_with('0')) {
    return std::nullopt;
  }
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || value < min || value > max) return std::nullopt;
  return value;
}

bool may_hold_key(std::string_view text) {
  constexpr std::size_t kLongEnough = 20;  // of a key's 44 characters
  std::size_t run = 0;
  return std::ranges::any_of(text, [&run](unsigned char character) {
    const bool is_base64 = std::isalnum(character) != 0 || character == '+' || character == '/' || character == '=';
    run = is_base64 ? run + 1 : 0;
    return run >= kLongEnough;
  });
}

}  // namespace anubis::config

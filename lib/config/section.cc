#include "lib/config/section.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include <fmt/format.h>

#include "lib/config/suggestion.h"

namespace anubis::config {
namespace {

// Longer than any host name, path or key: what is longer is not quoted back whole.
constexpr std::size_t kMaxText = 1024;
constexpr std::size_t kMaxShownKey = 64;

bool is_control(char character) {
  const auto byte = static_cast<unsigned char>(character);
  return byte < 0x20 || byte == 0x7f;
}

}  // namespace

std::string Section::key_path(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void Section::error(Place place, std::string_view key, std::string_view text) {
  report_.error(place, key_path(key), text);
}

void Section::warning(Place place, std::string_view key, std::string_view text) {
  report_.warning(place, key_path(key), text);
}

void Section::error_type(const Value& value, std::string_view key, std::string_view expected) {
  error(value.place, key, fmt::format("is {}, must be {}", type_name(value), expected));
}

const Value* Section::find(std::string_view key) const {
  const auto found = std::ranges::find(table_.entries, key, &Entry::key);
  return found == table_.entries.end() ? nullptr : &found->value;
}

const Value* Section::value(std::string_view key) {
  known_.push_back(key);
  return find(key);
}

std::optional<Located<std::string_view>> Section::as_text(const Value& value, std::string_view key,
                                                          std::string_view expected) {
  const auto* text = std::get_if<std::string>(&value.data);
  if (text == nullptr) {
    error_type(value, key, expected);
  } else if (text->empty()) {
    error(value.place, key, "is empty; leave the key out or give it a value");
  } else if (text->size() > kMaxText) {
    error(value.place, key, fmt::format("is {} bytes long; at most {} make sense here", text->size(), kMaxText));
  } else if (std::ranges::any_of(*text, is_control)) {
    error(value.place, key, "contains a control character; take it out");
  } else {
    return Located<std::string_view>{*text, value.place};
  }
  return std::nullopt;
}

std::optional<Located<std::string_view>> Section::text(std::string_view key) {
  const Value* found = value(key);
  if (found == nullptr) return std::nullopt;
  return as_text(*found, key, "a string");
}

std::optional<Located<std::int64_t>> Section::integer(std::string_view key, std::int64_t min, std::int64_t max) {
  const Value* found = value(key);
  if (found == nullptr) return std::nullopt;
  return as_integer(*found, key, min, max);
}

std::optional<Located<std::int64_t>> Section::as_integer(const Value& value, std::string_view key, std::int64_t min,
                                                         std::int64_t max) {
  const auto* number = std::get_if<std::int64_t>(&value.data);
  if (number == nullptr) {
    error_type(value, key, "an integer");
  } else if (*number < min || *number > max) {
    error(value.place, key, fmt::format("is {}, must be {} to {}", *number, min, max));
  } else {
    return Located<std::int64_t>{*number, value.place};
  }
  return std::nullopt;
}

std::vector<Located<std::int64_t>> Section::integers(std::string_view key, std::int64_t min, std::int64_t max) {
  std::vector<Located<std::int64_t>> all;
  const Value* found = value(key);
  if (found == nullptr) return all;
  const auto* array = std::get_if<Array>(&found->data);
  if (array == nullptr) {
    error_type(*found, key, "an array of integers");
    return all;
  }
  for (const Value& item : array->items) {
    if (const auto number = as_integer(item, key, min, max)) all.push_back(*number);
  }
  return all;
}

std::optional<bool> Section::boolean(std::string_view key) {
  const Value* found = value(key);
  if (found == nullptr) return std::nullopt;
  const auto* flag = std::get_if<bool>(&found->data);
  if (flag != nullptr) return *flag;
  error_type(*found, key, "true or false");
  return std::nullopt;
}

const Table* Section::table(std::string_view key) {
  const Value* found = value(key);
  if (found == nullptr) return nullptr;
  const auto* table = std::get_if<Table>(&found->data);
  if (table == nullptr) error_type(*found, key, fmt::format("a table; write [{}]", key_path(key)));
  return table;
}

std::vector<const Table*> Section::tables(std::string_view key) {
  std::vector<const Table*> all;
  const Value* found = value(key);
  if (found == nullptr) return all;
  const std::string expected = fmt::format("an array of tables; write [[{}]]", key_path(key));
  const auto* array = std::get_if<Array>(&found->data);
  if (array == nullptr) {
    error_type(*found, key, expected);
    return all;
  }
  all.reserve(array->items.size());
  for (const Value& item : array->items) {
    if (const auto* table = std::get_if<Table>(&item.data)) {
      all.push_back(table);
    } else {
      error_type(item, key, expected);
    }
  }
  return all;
}

std::vector<Located<std::string_view>> Section::texts(std::string_view key) {
  std::vector<Located<std::string_view>> all;
  const Value* found = value(key);
  if (found == nullptr) return all;
  const auto* array = std::get_if<Array>(&found->data);
  if (array == nullptr) {
    error_type(*found, key, "an array of strings");
    return all;
  }
  for (const Value& item : array->items) {
    if (const auto text = as_text(item, key, "a string")) all.push_back(*text);
  }
  return all;
}

void Section::require(std::string_view key, std::string_view what_to_do) {
  if (!has(key)) error(table_.place, key, fmt::format("is missing; {}", what_to_do));
}

void Section::finish(std::string_view what_to_do) {
  for (const Entry& entry : table_.entries) {
    if (std::ranges::find(known_, entry.key) != known_.end()) continue;
    const std::string shown = entry.key.substr(0, kMaxShownKey);
    if (report_.is_full()) {
      error(entry.place, shown, "");
    } else if (what_to_do.empty()) {
      error(entry.place, shown, "is not known; " + suggestion(entry.key, known_));
    } else {
      error(entry.place, shown, what_to_do);
    }
  }
}

}  // namespace anubis::config

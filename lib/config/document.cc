#include "lib/config/document.h"

#include <array>
#include <exception>
#include <utility>

#define TOML_EXCEPTIONS 1  // caught in parse_document: toml++'s other mode is the less trodden one
#include <toml++/toml.h>

namespace anubis::config {
namespace {

// No key of ours has more than one. toml++ makes a table inside a table for each dot and destroys them recursively, so
// a line of a million dots would overflow the stack.
constexpr unsigned kMaxDotsInLine = 8;

// Finds the end of the string that begins at `position`; the position behind it, or the text's end.
std::size_t skip_string(std::string_view text, std::size_t position, std::uint32_t& line) {
  const char quote = text[position];
  const std::array triple{quote, quote, quote};
  const bool is_multi_line = text.substr(position).starts_with(std::string_view(triple.data(), triple.size()));
  position += is_multi_line ? 3 : 1;
  for (; position < text.size(); ++position) {
    const char character = text[position];
    if (character == '\\' && quote == '"') {
      ++position;
      if (position < text.size() && text[position] == '\n') ++line;
    } else if (character == '\n') {
      if (!is_multi_line) return position;  // malformed: left to the parser
      ++line;
    } else if (character == quote) {
      if (!is_multi_line) return position + 1;
      if (text.substr(position).starts_with(std::string_view(triple.data(), triple.size()))) {
        position += 3;
        while (position < text.size() && text[position] == quote) ++position;  // up to two belong to the string
        return position;
      }
    }
  }
  return position;
}

// The first line with too many dots outside strings and comments.
std::optional<std::uint32_t> find_deep_key(std::string_view text) {
  std::uint32_t line = 1;
  unsigned dots = 0;
  for (std::size_t position = 0; position < text.size();) {
    switch (text[position]) {
      case '"':
      case '\'':
        position = skip_string(text, position, line);
        continue;
      case '#':
        position = std::min(text.find('\n', position), text.size());
        continue;
      case '\n':
        ++line;
        dots = 0;
        break;
      case '.':
        if (++dots > kMaxDotsInLine) return line;
        break;
      default:  // of a character, not of an enum
        break;
    }
    ++position;
  }
  return std::nullopt;
}

Place place_of(const toml::source_region& source, std::uint32_t file) {
  // Tables that only dotted keys imply have no place of their own.
  if (!source.begin) return {file, 1, 1};
  return {file, static_cast<std::uint32_t>(source.begin.line), static_cast<std::uint32_t>(source.begin.column)};
}

Table convert_table(toml::table& table, std::uint32_t file);

// Takes the strings out of the node. The recursion is bounded by toml++'s limit of nested values and by kMaxDotsInLine.
Value convert(toml::node& node, std::uint32_t file) {
  Value value{place_of(node.source(), file), DateOrTime{}, static_cast<std::uint32_t>(node.source().end.line)};
  if (auto* text = node.as_string()) {
    value.data = std::move(text->get());
  } else if (const auto* integer = node.as_integer()) {
    value.data = integer->get();
  } else if (const auto* floating = node.as_floating_point()) {
    value.data = floating->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.data = boolean->get();
  } else if (auto* array = node.as_array()) {
    Array items;
    items.items.reserve(array->size());
    for (toml::node& item : *array) items.items.push_back(convert(item, file));
    value.data = std::move(items);
  } else if (auto* table = node.as_table()) {
    value.data = convert_table(*table, file);
  }
  return value;
}

Table convert_table(toml::table& table, std::uint32_t file) {
  Table converted{place_of(table.source(), file), {}};
  converted.entries.reserve(table.size());
  for (auto&& [key, node] : table) {
    converted.entries.push_back({std::string(key.str()), place_of(key.source(), file), convert(node, file)});
  }
  return converted;
}

}  // namespace

std::string_view type_name(const Value& value) {
  constexpr std::array<std::string_view, std::variant_size_v<decltype(Value::data)>> kNames{
      "a string", "an integer", "a floating-point number", "a boolean", "a date or time", "an array", "a table"};
  return kNames[value.data.index()];
}

std::optional<Table> parse_document(std::string_view text, std::uint32_t file, Report& report) {
  if (const auto line = find_deep_key(text)) {
    report.error({file, *line, 1}, "", "there are too many dots outside strings; no key is nested that deeply");
    return std::nullopt;
  }
  try {
    toml::table parsed = toml::parse(text);
    return convert_table(parsed, file);
  } catch (const toml::parse_error& error) {
    report.error(place_of(error.source(), file), "", error.description());
  } catch (const std::exception& error) {
    report.error({file, 1, 1}, "", error.what());
  }
  return std::nullopt;
}

}  // namespace anubis::config

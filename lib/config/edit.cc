#include "lib/config/edit.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "lib/config/document.h"
#include "lib/config/report.h"

namespace anubis::config {
namespace {

std::optional<Table> document_of(std::string_view text) {
  Report report;
  return parse_document(text, report.add_file(""), report);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Whether the table has a header, so that a line behind it is the table's.
bool has_header(const Entry& entry, const std::vector<std::string_view>& lines) {
  const std::string_view line = lines[entry.place.line - 1];
  const auto first = line.find_first_not_of(" \t");
  return first != std::string_view::npos && line[first] == '[';
}

// Whether it has no tables in it, and is called so.
bool is_plain_and_named(const Value& item, std::string_view name) {
  const auto* table = std::get_if<Table>(&item.data);
  if (table == nullptr) return false;
  bool is_named = false;
  for (const Entry& entry : table->entries) {
    if (std::holds_alternative<Table>(entry.value.data)) return false;
    const auto* text = std::get_if<std::string>(&entry.value.data);
    is_named = is_named || (entry.key == "name" && text != nullptr && *text == name);
  }
  return is_named;
}

}  // namespace

std::size_t count_tables_of(std::string_view text, std::string_view name) {
  const auto document = document_of(text);
  if (!document) return 0;
  const auto lines = lines_of(text);
  std::size_t count = 0;
  for (const Entry& entry : document->entries) {
    const auto* tables = std::get_if<Array>(&entry.value.data);
    if (tables == nullptr || (entry.key != "peer" && entry.key != "invitation")) return 0;
    if (!has_header(entry, lines)) return 0;
    for (const Value& item : tables->items) {
      if (!is_plain_and_named(item, name)) return 0;
      ++count;
    }
  }
  return count;
}

std::vector<std::string> key_files_of(std::string_view text) {
  std::vector<std::string> files;
  const auto document = document_of(text);
  if (!document) return files;
  for (const Entry& kind : document->entries) {
    const auto* tables = std::get_if<Array>(&kind.value.data);
    if (tables == nullptr) continue;
    for (const Value& item : tables->items) {
      const auto* table = std::get_if<Table>(&item.data);
      if (table == nullptr) continue;
      for (const Entry& entry : table->entries) {
        const auto* file = std::get_if<std::string>(&entry.value.data);
        if (file != nullptr && entry.key.ends_with("preshared_key_file")) files.push_back(*file);
      }
    }
  }
  return files;
}

std::string edit_peer(std::string_view text, std::span<const Setting> settings) {
  const auto document = document_of(text);
  if (!document || document->entries.empty()) return std::string(text);
  const auto* peers = std::get_if<Array>(&document->entries.front().value.data);
  const auto* peer =
      peers == nullptr || peers->items.empty() ? nullptr : std::get_if<Table>(&peers->items.front().data);
  if (peer == nullptr) return std::string(text);

  std::vector<std::optional<std::string>> lines;
  for (const std::string_view line : lines_of(text)) lines.emplace_back(line);
  for (const Setting& setting : settings) {
    const auto found = std::ranges::find(peer->entries, setting.key, &Entry::key);
    std::optional<std::string> line;
    if (setting.value) line = fmt::format("{} = {}", setting.key, *setting.value);
    if (found == peer->entries.end()) {
      lines.push_back(std::move(line));
      continue;
    }
    for (std::uint32_t number = found->place.line; number <= found->value.last_line; ++number)
      lines[number - 1].reset();
    lines[found->place.line - 1] = std::move(line);
  }
  std::string edited;
  for (const auto& line : lines) {
    if (line) edited.append(*line).push_back('\n');
  }
  return edited;
}

}  // namespace anubis::config

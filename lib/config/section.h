// Reads the keys of one TOML table. Whatever is asked for is thereby known; what was not asked for is an error in the
// end. Every fault goes to the report with its place. Internal to lib/config.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/document.h"
#include "lib/config/report.h"

namespace anubis::config {

template <class T>
struct Located {
  T value;
  Place place;
};

class Section {
 public:
  // `path` stands before the keys in errors: "production", "peer[2]"; empty for the document itself.
  // Table and report must outlive the section.
  Section(const Table& table, std::string path, Report& report)
      : table_(table), path_(std::move(path)), report_(report) {}

  // The following return nothing when the key is absent, and report it only when its value is wrong.
  [[nodiscard]] const Value* value(std::string_view key);
  [[nodiscard]] std::optional<Located<std::string_view>> text(std::string_view key);
  [[nodiscard]] std::optional<Located<std::int64_t>> integer(std::string_view key, std::int64_t min, std::int64_t max);
  // Of an array; those that are wrong are reported and left out.
  [[nodiscard]] std::vector<Located<std::int64_t>> integers(std::string_view key, std::int64_t min, std::int64_t max);
  [[nodiscard]] std::optional<bool> boolean(std::string_view key);
  [[nodiscard]] const Table* table(std::string_view key);
  // Only those tables of an array of tables that really are tables.
  [[nodiscard]] std::vector<const Table*> tables(std::string_view key);
  [[nodiscard]] std::vector<Located<std::string_view>> texts(std::string_view key);

  // A text that `parse` (string_view → Result<T>) understands.
  template <class Parse>
  [[nodiscard]] auto parsed(std::string_view key, Parse parse)
      -> std::optional<Located<typename decltype(parse(std::string_view{}))::value_type>> {
    const auto found = text(key);
    if (!found) return std::nullopt;
    auto result = parse(found->value);
    if (!result) {
      error(found->place, key, result.error().message);
      return std::nullopt;
    }
    return Located<typename decltype(result)::value_type>{std::move(*result), found->place};
  }

  // As parsed(), of each text of an array; those that are wrong are reported and left out.
  template <class Parse>
  [[nodiscard]] auto parsed_all(std::string_view key, Parse parse)
      -> std::vector<Located<typename decltype(parse(std::string_view{}))::value_type>> {
    std::vector<Located<typename decltype(parse(std::string_view{}))::value_type>> all;
    for (const auto& each : texts(key)) {
      auto result = parse(each.value);
      if (result) {
        all.push_back({std::move(*result), each.place});
      } else {
        error(each.place, key, result.error().message);
      }
    }
    return all;
  }

  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  // Reports the key when it is absent; `what_to_do` ends the sentence.
  void require(std::string_view key, std::string_view what_to_do);
  void error(Place place, std::string_view key, std::string_view text);
  void error_type(const Value& value, std::string_view key, std::string_view expected);
  void warning(Place place, std::string_view key, std::string_view text);

  // Reports every key that was never asked for, with `what_to_do` or, if that is empty, the nearest known key.
  void finish(std::string_view what_to_do = {});

  [[nodiscard]] Place place() const { return table_.place; }
  [[nodiscard]] std::string key_path(std::string_view key) const;

 private:
  [[nodiscard]] const Value* find(std::string_view key) const;
  [[nodiscard]] std::optional<Located<std::int64_t>> as_integer(const Value& value, std::string_view key,
                                                                std::int64_t min, std::int64_t max);
  [[nodiscard]] std::optional<Located<std::string_view>> as_text(const Value& value, std::string_view key,
                                                                 std::string_view expected);

  const Table& table_;
  const std::string path_;
  Report& report_;
  std::vector<std::string_view> known_;
};

}  // namespace anubis::config

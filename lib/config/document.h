// A TOML document as plain values with their places; the only thing that knows toml++ stands behind it.
// Internal to lib/config.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/config/report.h"

namespace anubis::config {

struct Value;
struct Entry;

struct Array {
  std::vector<Value> items;
};

struct Table {
  Place place;
  std::vector<Entry> entries;
};

// A date or a time: no key of ours takes one.
struct DateOrTime {};

struct Value {
  Place place;
  std::variant<std::string, std::int64_t, double, bool, DateOrTime, Array, Table> data;
  std::uint32_t last_line = 0;  // on which it ends
};

struct Entry {
  std::string key;
  Place place;
  Value value;
};

// "a string", "an integer", …: for sentences.
[[nodiscard]] std::string_view type_name(const Value& value);

// None, with the fault reported, when text is not TOML 1.0. `file` is the report's number of the file.
[[nodiscard]] std::optional<Table> parse_document(std::string_view text, std::uint32_t file, Report& report);

}  // namespace anubis::config

// A file of conf.d, changed by a program as a careful person would: what is not named stays as it is, comments
// included. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace anubis::config {

// How many tables TEXT has, where all of them are the [[peer]] and the [[invitation]] NAME, and nothing stands beside
// them; else 0, also where TEXT is no TOML.
[[nodiscard]] std::size_t count_tables_of(std::string_view text, std::string_view name);

// The files of preshared keys that the tables of TEXT name, as they name them.
[[nodiscard]] std::vector<std::string> key_files_of(std::string_view text);

struct Setting {
  std::string_view key;
  std::optional<std::string> value;  // as TOML; without one the key goes
};

// TEXT, which is one [[peer]] and nothing else, with these settings: in the place of those that were there, else at the
// end.
[[nodiscard]] std::string edit_peer(std::string_view text, std::span<const Setting> settings);

}  // namespace anubis::config

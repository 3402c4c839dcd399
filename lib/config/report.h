// Collects what is wrong with a configuration, so that the user hears of all of it at once. Internal to lib/config.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace anubis::config {

// A place in one of the files of a Report.
struct Place {
  std::uint32_t file = 0;
  std::uint32_t line = 1;
  std::uint32_t column = 1;

  auto operator<=>(const Place&) const = default;
};

class Report {
 public:
  static constexpr std::size_t kMaxErrors = 20;
  static constexpr std::size_t kMaxWarnings = 100;

  // The number of the file, for Place. The first is the main one.
  std::uint32_t add_file(std::string path);
  [[nodiscard]] const std::string& file(std::uint32_t number) const { return files_[number]; }

  // "FILE:LINE:COLUMN: key KEY: TEXT". An empty key is left out.
  void error(Place place, std::string_view key, std::string_view text);
  void warning(Place place, std::string_view key, std::string_view text);
  // About a file as a whole: TEXT names it.
  void error(const base::Error& error);
  void warning(std::string_view text);

  [[nodiscard]] bool has_errors() const { return count_ != 0; }
  // Whether further errors are only counted: then no effort need be spent on their words.
  [[nodiscard]] bool is_full() const { return lines_.size() >= kMaxErrors; }

  // "FILE:LINE", for a sentence that names another place.
  [[nodiscard]] std::string where(Place place) const;

  // A line an error, in the order of the files and their lines.
  [[nodiscard]] base::Error take_error();
  [[nodiscard]] std::vector<std::string> take_warnings() { return std::move(warnings_); }

 private:
  struct Line {
    Place place;
    std::string text;
  };

  [[nodiscard]] std::string line(Place place, std::string_view key, std::string_view text) const;

  std::vector<std::string> files_;
  std::vector<Line> lines_;
  std::vector<std::string> warnings_;
  std::size_t count_ = 0;
  base::ErrorCode code_ = base::ErrorCode::kInvalid;  // of the first error
};

}  // namespace anubis::config

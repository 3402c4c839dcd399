// What a check found, for people. Pure.
#pragma once

#include <string>
#include <vector>

#include "anubis-cli/check/row.h"
#include "anubis-cli/table.h"

namespace anubis::cli {

struct Report {
  std::string host;  // this one
  std::string name;  // as it was asked for
  std::vector<Row> rows;
  Premises premises;
  bool was_watched = true;  // by a capture
};

// A table of the rows, a line for the way of each, a sentence that sums it up.
[[nodiscard]] std::vector<std::string> check_lines(const Report& report, Colour colour);

// "directly", "through jacinth", "nowhere"
[[nodiscard]] std::string path_of(const Row& row, const Premises& premises);

// The sentence, and one for each row that is not as it should be.
[[nodiscard]] std::vector<std::string> check_sentences(const Report& report);

}  // namespace anubis::cli

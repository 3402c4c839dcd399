// Columns of text, aligned as a terminal shows them. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace anubis::cli {

enum class Style { kPlain, kDim, kBold, kGood, kBusy, kBad };
enum class Align { kLeft, kRight };
enum class Colour { kOff, kOn };

struct Cell {
  std::string text;  // printable
  Style style = Style::kPlain;
};

struct Column {
  std::string title;
  Align align = Align::kLeft;
};

// TEXT in STYLE, when COLOUR says so.
[[nodiscard]] std::string styled(const std::string& text, Style style, Colour colour);

// One line a row below the titles, without line ends. Every row has a cell for each column.
[[nodiscard]] std::vector<std::string> table_lines(const std::vector<Column>& columns,
                                                   const std::vector<std::vector<Cell>>& rows, Colour colour);

}  // namespace anubis::cli

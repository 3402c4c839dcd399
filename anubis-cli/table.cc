#include "anubis-cli/table.h"

#include <algorithm>

#include "anubis-cli/text.h"

namespace anubis::cli {
namespace {

constexpr std::size_t kGap = 2;

const char* sequence(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kDim:
      return "\x1b[2m";
    case Style::kBold:
      return "\x1b[1m";
    case Style::kGood:
      return "\x1b[32m";
    case Style::kBusy:
      return "\x1b[33m";
    case Style::kBad:
      return "\x1b[31m";
  }
  return "";
}

std::string line_of(const std::vector<Cell>& cells, const std::vector<Column>& columns,
                    const std::vector<std::size_t>& widths, Colour colour) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(widths[i] - display_width(cells[i].text), ' ');
    if (columns[i].align == Align::kRight) line.append(padding);
    line.append(styled(cells[i].text, cells[i].style, colour));
    if (i + 1 == cells.size()) break;  // nothing behind the last one
    if (columns[i].align == Align::kLeft) line.append(padding);
    line.append(kGap, ' ');
  }
  return line;
}

}  // namespace

std::string styled(const std::string& text, Style style, Colour colour) {
  if (colour == Colour::kOff || style == Style::kPlain || text.empty()) return text;
  return sequence(style) + text + "\x1b[0m";
}

std::vector<std::string> table_lines(const std::vector<Column>& columns, const std::vector<std::vector<Cell>>& rows,
                                     Colour colour) {
  std::vector<Cell> titles;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    titles.push_back({columns[i].title, Style::kBold});
    std::size_t width = display_width(columns[i].title);
    for (const auto& row : rows) width = std::max(width, display_width(row[i].text));
    widths.push_back(width);
  }
  std::vector<std::string> lines{line_of(titles, columns, widths, colour)};
  lines.reserve(rows.size() + 1);
  for (const auto& row : rows) lines.push_back(line_of(row, columns, widths, colour));
  return lines;
}

}  // namespace anubis::cli

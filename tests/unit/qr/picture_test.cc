#include "lib/qr/picture.h"

#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/qr/matrix.h"

namespace anubis::qr {
namespace {

std::string text_of(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += "PublicKey " + std::to_string(i) + "\n";
  text.resize(size);
  return text;
}

TEST(Png, IsReadByAnotherProgram) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{53}, std::size_t{700}, std::size_t{1500}, kMaxBytes}) {
    const auto code = Code::create(text_of(size));
    ASSERT_TRUE(code);
    const auto png = to_png(*code);
    ASSERT_TRUE(png) << png.error().message;
    EXPECT_EQ(testing::scan(*png), text_of(size));
  }
}

TEST(Png, HoldsBytesThatAreNoText) {
  const std::string bytes("\x00\x01\xff\xfe\x80 anubis", 12);
  const auto png = to_png(*Code::create(bytes));
  ASSERT_TRUE(png);
  EXPECT_EQ(testing::scan(*png), bytes);
}

// Draws the rectangles of the one path.
testing::Matrix drawn(std::string_view svg, std::size_t size) {
  testing::Matrix matrix(size, std::string(size, '.'));
  for (auto at = svg.find('M'); at != std::string_view::npos; at = svg.find('M', at + 1)) {
    std::size_t column = 0;
    std::size_t row = 0;
    std::size_t length = 0;
    std::size_t back = 0;
    const std::string rectangle(svg.substr(at, 40));
    if (std::sscanf(rectangle.c_str(), "M%zu %zuh%zuv1h-%zuz", &column, &row, &length, &back) != 4) return {};
    if (length != back || row >= size || column + length > size) return {};
    matrix[row].replace(column, length, length, '#');
  }
  return matrix;
}

TEST(Svg, DrawsTheSameModules) {
  const auto code = Code::create(text_of(500));
  ASSERT_TRUE(code);
  const auto svg = to_svg(*code);
  EXPECT_TRUE(svg.view().starts_with("<?xml"));
  const auto path = svg.view().substr(svg.view().find(" d=\""));
  EXPECT_EQ(drawn(path, code->full_size()), testing::matrix_of(*code));
}

}  // namespace
}  // namespace anubis::qr

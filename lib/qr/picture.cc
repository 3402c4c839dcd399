#include "lib/qr/picture.h"

#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <png.h>

namespace anubis::qr {

base::SecretText to_svg(const Code& code) {
  base::SecretText text;
  const auto size = code.full_size();
  text.append(
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {0}\" width=\"{1}\" height=\"{1}\" "
                  "shape-rendering=\"crispEdges\">\n"
                  "<rect width=\"{0}\" height=\"{0}\" fill=\"#fff\"/>\n"
                  "<path fill=\"#000\" d=\"",
                  size, size * kPngModule));
  // A rectangle for each run of dark modules in a row.
  for (std::size_t row = 0; row < size; ++row) {
    for (std::size_t column = 0; column < size; ++column) {
      if (!code.is_dark(column, row)) continue;
      const auto first = column;
      while (code.is_dark(column, row)) ++column;
      text.append(fmt::format("M{} {}h{}v1h-{}z", first, row, column - first, column - first));
    }
    text.append("\n");
  }
  text.append("\"/>\n</svg>\n");
  return text;
}

base::Result<base::WipedBytes> to_png(const Code& code) {
  const auto side = code.full_size() * kPngModule;
  base::WipedBytes pixels(side * side);
  for (std::size_t y = 0; y < side; ++y) {
    for (std::size_t x = 0; x < side; ++x) {
      pixels[y * side + x] = code.is_dark(x / kPngModule, y / kPngModule) ? 0 : 0xff;
    }
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(side);
  image.height = static_cast<png_uint_32>(side);
  image.format = PNG_FORMAT_GRAY;
  base::WipedBytes file(PNG_IMAGE_PNG_SIZE_MAX(image));
  png_alloc_size_t size = file.size();
  constexpr int kAsItIs = 0;    // 8 bits stay 8 bits
  constexpr int kNoStride = 0;  // rows follow one another
  if (png_image_write_to_memory(&image, file.data(), &size, kAsItIs, pixels.data(), kNoStride, nullptr) == 0) {
    return base::fail(base::ErrorCode::kInternal, std::string("cannot make a PNG file: ") + image.message);
  }
  file.resize(size);
  return file;
}

}  // namespace anubis::qr

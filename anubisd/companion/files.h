// The files of the companion page, which the build puts into the program.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace anubis::daemon {

struct PageFile {
  std::string_view path;
  const char* type = nullptr;
  bool is_constant = false;                  // what is asked for with a version in the query: it never changes
  std::span<const std::uint8_t> compressed;  // by gzip, which every browser takes
};

// Null: there is none.
[[nodiscard]] const PageFile* find_page_file(std::string_view path);

}  // namespace anubis::daemon

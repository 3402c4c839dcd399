#include "tests/unit/qr/matrix.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

#include <unistd.h>

namespace anubis::qr::testing {

Matrix matrix_of(const Code& code) {
  Matrix matrix(code.full_size(), std::string(code.full_size(), '.'));
  for (std::size_t row = 0; row < matrix.size(); ++row) {
    for (std::size_t column = 0; column < matrix.size(); ++column) {
      if (code.is_dark(column, row)) matrix[row][column] = '#';
    }
  }
  return matrix;
}

std::string scan(const base::WipedBytes& png) {
  std::string name = "/tmp/anubis-qr-test.XXXXXX";
  const int file = mkstemp(name.data());
  if (file < 0) return "no temporary file";
  const bool written = write(file, png.data(), png.size()) == static_cast<ssize_t>(png.size());
  close(file);
  std::string text;
  const std::string command =
      std::string(ZBARIMG " --nodbus --quiet --raw --oneshot -Sdisable -Sqrcode.enable -Sbinary ") + name;
  if (FILE* const scanner = written ? popen(command.c_str(), "r") : nullptr) {
    for (int byte = 0; (byte = std::fgetc(scanner)) != EOF;) text.push_back(static_cast<char>(byte));
    pclose(scanner);
  }
  unlink(name.c_str());
  return text;
}

}  // namespace anubis::qr::testing

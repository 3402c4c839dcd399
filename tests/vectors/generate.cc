// Writes the test vectors anew: vectors_generate DIR. Deterministic.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/vectors/vectors.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: vectors_generate DIR\n", stderr);
    return 2;
  }
  anubis::crypto::initialise();
  for (const auto& [name, text] : anubis::vectors::make_files()) {
    const auto path = std::filesystem::path(argv[1]) / name;
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file) {
      std::fprintf(stderr, "%s cannot be written\n", path.c_str());
      return 1;
    }
  }
}

// Every input of the corpora, and every one that ever was a find, in the ordinary builds: no fuzzer is needed for that.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/fuzz/fuzz.h"

namespace anubis::fuzz {
namespace {

const std::filesystem::path kFolder = FUZZ_DIR;

std::vector<std::filesystem::path> inputs_of(const std::string& target) {
  std::vector<std::filesystem::path> files;
  for (const char* kind : {"corpus", "regressions"}) {
    const auto folder = kFolder / kind / target;
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

void replay(const std::string& name, const std::function<void(Bytes)>& target) {
  const auto files = inputs_of(name);
  ASSERT_FALSE(files.empty()) << "no input for " << name << " in " << kFolder;
  for (const auto& file : files) {
    std::cerr << file.string() << '\n';  // the last line before an abort tells which input it was
    std::ifstream stream(file, std::ios::binary);
    const std::vector<char> input{std::istreambuf_iterator<char>(stream), {}};
    ASSERT_TRUE(stream) << "cannot read " << file;
    SCOPED_TRACE(file.string());
    target({reinterpret_cast<const std::uint8_t*>(input.data()), input.size()});
  }
}

#define ANUBIS_FUZZ_TEST(name) \
  TEST(FuzzReplay, name) { replay(#name, &fuzz::name); }
ANUBIS_FUZZ_TARGETS(ANUBIS_FUZZ_TEST)
#undef ANUBIS_FUZZ_TEST

TEST(FuzzReplay, NoFolderLacksItsTarget) {
  std::vector<std::string> targets;
#define ANUBIS_FUZZ_NAME(name) targets.emplace_back(#name);
  ANUBIS_FUZZ_TARGETS(ANUBIS_FUZZ_NAME)
#undef ANUBIS_FUZZ_NAME
  for (const char* kind : {"corpus", "regressions"}) {
    if (!std::filesystem::exists(kFolder / kind)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(kFolder / kind)) {
      EXPECT_NE(std::ranges::find(targets, entry.path().filename().string()), targets.end()) << entry.path();
    }
  }
}

}  // namespace
}  // namespace anubis::fuzz

// What is done here cannot be undone, so each test does it in a child.
#pragma once

#include <cstdlib>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "lib/base/result.h"

namespace anubis::sandbox {

inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "%s does not hold\n", what);
  std::_Exit(1);
}

inline void require(const base::Status& status) {
  if (status) return;
  std::fprintf(stderr, "%s\n", status.error().message.c_str());
  std::_Exit(1);
}

// A field of /proc/self/status.
inline std::string status_field(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":")) return line.substr(line.find_first_not_of(" \t", name.size() + 1));
  }
  return {};
}

// Runs it in a child, which must reach its end.
#define EXPECT_DONE_IN_CHILD(...) \
  EXPECT_EXIT(                    \
      {                           \
        __VA_ARGS__;              \
        std::_Exit(0);            \
      },                          \
      testing::ExitedWithCode(0), "")

}  // namespace anubis::sandbox

// The entry of libFuzzer, compiled once for each target.
#include <cstddef>
#include <cstdint>

#include <gtest/gtest.h>

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  GTEST_FLAG_SET(throw_on_failure, true);  // an EXPECT of the simulation that fails is a find
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  anubis::fuzz::FUZZ_TARGET({data, size});
  return 0;
}

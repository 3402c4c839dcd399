#include "lib/base/random.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sys/random.h>

namespace anubis::base {

std::uint64_t Random::number() {
  std::uint64_t value = 0;
  const auto raw = bytes<sizeof value>();
  std::memcpy(&value, raw.data(), sizeof value);
  return value;
}

void SystemRandom::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      std::perror("anubis: getrandom");
      std::abort();
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace anubis::base

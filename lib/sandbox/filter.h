// A seccomp filter as a table: the system calls that are allowed, and for what. Any other ends the process with SIGSYS,
// and the kernel's log has a line with its number (docs/decisions/0009).
#pragma once

#include <cstdint>
#include <vector>

#include "lib/base/result.h"

namespace anubis::sandbox {

// (argument & mask) == value. The kernel compares registers; most arguments are an int, whose upper half is not
// defined.
struct Argument {
  unsigned index = 0;
  std::uint64_t value = 0;
  std::uint64_t mask = 0xffffffff;
};

enum class Answer : std::uint8_t {
  kAllow,
  kUnsupported,   // ENOSYS: the caller has another way
  kNotPermitted,  // EPERM: the caller can go on without
};

// Several rules for one call: any of them. Without a rule that fits: the process ends.
struct Rule {
  int call = 0;                // as SCMP_SYS() gives it
  std::vector<Argument> when;  // all of them
  Answer answer = Answer::kAllow;
};
using Rules = std::vector<Rule>;

// What the filters of this build do: chosen when it was built (the CMake variable ANUBIS_SECCOMP), and by nothing that
// an attacker could set.
enum class Enforcement : std::uint8_t { kKill, kLog, kOff };
[[nodiscard]] Enforcement enforcement();

// For good, and for all threads. no_new_privs must be set. kUnsupported when the kernel has no seccomp filters.
base::Status apply(const Rules& rules);

}  // namespace anubis::sandbox

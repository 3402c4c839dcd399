#include "lib/sandbox/filter.h"

#include <cerrno>
#include <memory>

#include <fmt/format.h>
#include <seccomp.h>

namespace anubis::sandbox {
namespace {

constexpr Enforcement kEnforcement = ANUBIS_SECCOMP;

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

std::uint32_t otherwise() { return kEnforcement == Enforcement::kLog ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS; }

std::uint32_t action_of(Answer answer) {
  switch (answer) {
    case Answer::kAllow:
      return SCMP_ACT_ALLOW;
    case Answer::kUnsupported:
      return SCMP_ACT_ERRNO(ENOSYS);
    case Answer::kNotPermitted:
      return SCMP_ACT_ERRNO(EPERM);
  }
  return SCMP_ACT_KILL_PROCESS;
}

int add(scmp_filter_ctx context, const Rule& rule) {
  std::vector<scmp_arg_cmp> arguments;
  arguments.reserve(rule.when.size());
  for (const Argument& argument : rule.when) {
    arguments.push_back({.arg = argument.index,
                         .op = SCMP_CMP_MASKED_EQ,
                         .datum_a = argument.mask,
                         .datum_b = argument.value & argument.mask});
  }
  return seccomp_rule_add_array(context, action_of(rule.answer), rule.call, static_cast<unsigned>(arguments.size()),
                                arguments.data());
}

}  // namespace

Enforcement enforcement() { return kEnforcement; }

base::Status apply(const Rules& rules) {
  if (kEnforcement == Enforcement::kOff) return {};
  const Context context(seccomp_init(otherwise()), seccomp_release);
  if (!context) return base::fail(base::ErrorCode::kIo, "cannot make a system call filter");
  for (const auto& [attribute, value] : {
           std::pair{SCMP_FLTATR_ACT_BADARCH, std::uint32_t{SCMP_ACT_KILL_PROCESS}},  // calls of another ABI
           std::pair{SCMP_FLTATR_CTL_NNP, std::uint32_t{0}},                          // it has been set
           std::pair{SCMP_FLTATR_CTL_TSYNC, std::uint32_t{1}},
           std::pair{SCMP_FLTATR_CTL_OPTIMIZE, std::uint32_t{2}},  // a tree, not a list
       }) {
    if (const int error = seccomp_attr_set(context.get(), attribute, value); error != 0) {
      return base::fail_errno(-error, "cannot prepare the system call filter");
    }
  }
  for (const Rule& rule : rules) {
    if (const int error = add(context.get(), rule); error != 0) {
      return base::fail_errno(-error, fmt::format("cannot add call {} to the filter", rule.call));
    }
  }
  if (const int error = seccomp_load(context.get()); error != 0) {
    return base::fail(base::ErrorCode::kUnsupported,
                      fmt::format("the kernel did not take the system call filter ({}): it needs CONFIG_SECCOMP_FILTER",
                                  base::system_error(-error, "seccomp").message));
  }
  return {};
}

}  // namespace anubis::sandbox

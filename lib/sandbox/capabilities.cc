#include "lib/sandbox/capabilities.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace anubis::sandbox {
namespace {

using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

static_assert(static_cast<int>(Capability::kNetAdmin) == CAP_NET_ADMIN);

base::Result<Sets> get() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  Sets sets{};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return base::fail_errno(errno, "cannot read the capabilities");
  return sets;
}

base::Status set(const Sets& sets) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  if (syscall(SYS_capset, &header, sets.data()) != 0) return base::fail_errno(errno, "cannot give up capabilities");
  return {};
}

Sets only(std::initializer_list<Capability> kept) {
  Sets sets{};
  for (const Capability capability : kept) {
    const auto number = static_cast<unsigned>(capability);
    sets[CAP_TO_INDEX(number)].effective |= CAP_TO_MASK(number);
    sets[CAP_TO_INDEX(number)].permitted |= CAP_TO_MASK(number);
  }
  return sets;
}

bool is_same(const Sets& one, const Sets& other) {
  return std::ranges::equal(one, other, [](const auto& a, const auto& b) {
    return a.effective == b.effective && a.permitted == b.permitted && a.inheritable == b.inheritable;
  });
}

}  // namespace

bool has(Capability capability) {
  const auto sets = get();
  const auto number = static_cast<unsigned>(capability);
  return sets && ((*sets)[CAP_TO_INDEX(number)].effective & CAP_TO_MASK(number)) != 0;
}

base::Status lower_bounding_set(std::initializer_list<Capability> kept) {
  const auto own = get();
  if (!own) return base::fail(own.error());
  if (((*own)[CAP_TO_INDEX(CAP_SETPCAP)].effective & CAP_TO_MASK(CAP_SETPCAP)) == 0) return {};
  const Sets wanted = only(kept);
  for (unsigned number = 0; prctl(PR_CAPBSET_READ, number) >= 0; ++number) {
    if ((wanted[CAP_TO_INDEX(number)].permitted & CAP_TO_MASK(number)) != 0) continue;
    if (prctl(PR_CAPBSET_DROP, number) != 0) return base::fail_errno(errno, "cannot lower the bounding set");
  }
  return {};
}

base::Status keep_capabilities(std::initializer_list<Capability> kept) {
  const Sets wanted = only(kept);
  const auto before = get();
  if (!before) return base::fail(before.error());
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return base::fail_errno(errno, "cannot clear the ambient capabilities");
  }
  // A service manager may have taken them away already, and capset with them.
  return is_same(*before, wanted) ? base::Status() : set(wanted);
}

}  // namespace anubis::sandbox

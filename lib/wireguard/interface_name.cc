#include "lib/wireguard/interface_name.h"

#include <algorithm>
#include <string>

#include <net/if.h>

namespace anubis::wireguard {

base::Status check_interface_name(std::string_view name) {
  // Stricter than the kernel, which takes any byte above the space: what is not printable ASCII ends up in a log.
  const auto is_usable = [](char byte) { return byte > ' ' && byte < 0x7f && byte != '/' && byte != ':'; };
  if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == ".." || !std::ranges::all_of(name, is_usable)) {
    return base::fail(base::ErrorCode::kInvalid,
                      "\"" + std::string(name) +
                          "\" is not an interface name: 1 to 15 printable characters without space, '/' and ':'");
  }
  return {};
}

}  // namespace anubis::wireguard

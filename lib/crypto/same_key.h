// Whether two keys that need not be there are the same one: none equals none.
#pragma once

#include <memory>

namespace anubis::crypto {

template <class Key>
[[nodiscard]] bool same_key(const std::shared_ptr<const Key>& a, const std::shared_ptr<const Key>& b) {
  return a == b || (a && b && a->equals(*b));
}

}  // namespace anubis::crypto

// A limit on how often something may happen: so many times at once, and then as often as the bucket fills again. Time
// is passed in.
#pragma once

#include <algorithm>
#include <cstdint>

#include "lib/base/clock.h"

namespace anubis::gate {

struct Rate {
  base::Duration interval{0};  // in which one token is filled in; zero: without a limit
  std::uint32_t burst = 1;     // what the bucket holds
};

class TokenBucket {
 public:
  // Whether there are that many.
  [[nodiscard]] bool has(const Rate& rate, std::uint32_t tokens, base::Time now) const {
    return full_at_ - now <= (rate.burst - tokens) * rate.interval;
  }
  // Takes one, if there is one.
  [[nodiscard]] bool take(const Rate& rate, base::Time now) {
    if (!has(rate, 1, now)) return false;
    full_at_ = std::max(full_at_, now) + rate.interval;
    return true;
  }

 private:
  base::Time full_at_{};  // when it will be full again; says all that there is to know
};

}  // namespace anubis::gate

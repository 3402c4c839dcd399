// What this host wants of a peer: that it be up. A wish begins with `up` and outlives sessions, failures and, if it is
// persistent, the host's boot; it ends with `down`, from whichever end, or when its own time is over. (A lease is the
// other end's: how long it keeps a session without hearing from us.)
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "lib/base/clock.h"

namespace anubis::gate {

enum class Insistence : std::uint8_t {
  kOnce,        // an up that fails is over; one that succeeded is brought up again whenever it is lost
  kAlways,      // tried again until it works
  kPersistent,  // the same, and after a reboot, too
};

struct Wish {
  std::optional<std::chrono::seconds> lease;  // to ask for; none: the configured one; zero: until down
  std::optional<base::Time> until;            // none: until down
  Insistence insistence = Insistence::kOnce;
  bool fulfilled = false;  // it was up at least once
  bool operator==(const Wish&) const = default;
};

[[nodiscard]] inline bool is_tried_again(const Wish& wish) {
  return wish.fulfilled || wish.insistence != Insistence::kOnce;
}

// Until the first of those tries that make a wish come true again.
constexpr base::Duration kFirstRetry = std::chrono::seconds(2);

// What is asked of Gatekeeper::up.
struct UpRequest {
  std::optional<std::chrono::seconds> lease = {};  // as in Wish
  base::Duration timeout = std::chrono::seconds(10);
  std::optional<base::Duration> wanted_for = {};  // none: until down
  Insistence insistence = Insistence::kOnce;
  // In place of the others of its group: once it is up it takes over what they have, and they are taken down.
  bool instead_of_group = false;
};

}  // namespace anubis::gate

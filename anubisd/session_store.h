// The text in which sessions that are up outlive the daemon. PURE. One line a session, after a first line that tells
// the boot: times are those of CLOCK_BOOTTIME, in nanoseconds, and mean nothing to another boot.
//
//   anubis-sessions 1 5f1c0bd0-6a0e-4a55-9b0c-3f6d5d2f1e11
//   PRODUCTION-PUBLIC-KEY initiator|responder[-renewing] SINCE LEASE-END|-
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/crypto/keys.h"
#include "lib/gate/action.h"

namespace anubis::daemon {

using RememberedSessions = std::unordered_map<crypto::ProductionPublicKey, gate::Remembered, crypto::PublicKeyHash>;

// Of the file: the 2^20 peers that a kernel's device holds at most, at less than 100 bytes each.
constexpr std::size_t kMaxSessionStore = std::size_t{128} << 20;

[[nodiscard]] std::string format_sessions(const RememberedSessions& sessions, std::string_view boot_id);

// Of another boot: none. kInvalid, with the number of the line: not what format_sessions() writes, or times that
// cannot be true now.
[[nodiscard]] base::Result<RememberedSessions> parse_sessions(std::string_view text, std::string_view boot_id,
                                                              base::Time now);

}  // namespace anubis::daemon
